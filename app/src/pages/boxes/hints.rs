//! How a server comes to answer: for each way in which a box is asked, the address and the server's own lines.

use leptos::prelude::*;

/// One way.
struct Way {
    title: &'static str,
    /// Lines of the server's configuration.
    lines: &'static str,
    address: &'static str,
    advice: &'static str,
}

const WAYS: [Way; 9] = [
    Way {
        title: "OpenSIPS 3.x and 4.x over HTTP",
        lines: r#"loadmodule "httpd.so"
modparam("httpd", "ip", "10.0.0.5")
modparam("httpd", "port", 8888)
loadmodule "mi_http.so"
"#,
        address: "http://10.0.0.5:8888/mi",
        advice: "Let only this panel reach that port: whoever does can command the server. That holds for every way below as well.",
    },
    Way {
        title: "Over HTTPS, with certificates of one's own",
        lines: r#"modparam("httpd", "tls_cert_file", "/etc/opensips/server.pem")
modparam("httpd", "tls_key_file", "/etc/opensips/server.key")
"#,
        address: "https://10.0.0.5:8888/mi#ca=/etc/tickmark/ca.pem",
        advice: "The lines are for OpenSIPS 3.2 and later. The file, on the panel's host, holds who issued the server's certificate. &cert=/etc/tickmark/panel.pem shows a certificate to the server, whose key is in the same file or in that of &key=. Any https:// address may end so. #verify=off takes whatever certificate comes, and every page says so.",
    },
    Way {
        title: "OpenSIPS 2.x over HTTP",
        lines: r#"loadmodule "httpd.so"
modparam("httpd", "ip", "10.0.0.5")
modparam("httpd", "port", 8888)
loadmodule "mi_json.so"
"#,
        address: "http://10.0.0.5:8888/json",
        advice: "Its kind is OpenSIPS 2.x.",
    },
    Way {
        title: "OpenSIPS over its FIFO, on the panel's own host",
        lines: r#"loadmodule "mi_fifo.so"
modparam("mi_fifo", "fifo_name", "/tmp/opensips_fifo")
modparam("mi_fifo", "fifo_mode", 0660)
"#,
        address: "fifo:/tmp/opensips_fifo",
        advice: "The panel must be of the FIFO's group. Answers come through a FIFO that the panel makes in /tmp; where the server's reply_dir is another folder, add ?reply_dir=/that/folder. With ?dialect=2 (OpenSIPS 2.x) or ?dialect=3 nothing has to be found out.",
    },
    Way {
        title: "OpenSIPS by datagrams",
        lines: r#"loadmodule "mi_datagram.so"
modparam("mi_datagram", "socket_name", "udp:10.0.0.5:8080")
"#,
        address: "udp://10.0.0.5:8080",
        advice: "With \"/run/opensips/mi.sock\" in place of \"udp:10.0.0.5:8080\" it is unix:/run/opensips/mi.sock, on the panel's own host. An answer of more than 64 kB does not fit into a datagram.",
    },
    Way {
        title: "OpenSIPS by XML-RPC",
        lines: r#"loadmodule "httpd.so"
modparam("httpd", "ip", "10.0.0.5")
modparam("httpd", "port", 8888)
loadmodule "mi_xmlrpc_ng.so"
modparam("mi_xmlrpc_ng", "http_root", "RPC2")
"#,
        address: "xmlrpc+http://10.0.0.5:8888/RPC2",
        advice: "For servers that have it already.",
    },
    Way {
        title: "Kamailio over HTTP",
        lines: r#"disable_tcp=no
tcp_accept_no_cl=yes
listen=tcp:10.0.0.5:5060
loadmodule "kex.so"
loadmodule "sl.so"
loadmodule "xhttp.so"
loadmodule "jsonrpcs.so"

event_route[xhttp:request] {
    if ($hu =~ "^/RPC") jsonrpc_dispatch();
}
"#,
        address: "http://10.0.0.5:5060/RPC",
        advice: "",
    },
    Way {
        title: "Kamailio over its FIFO or a socket, on the panel's own host",
        lines: r#"loadmodule "kex.so"
loadmodule "sl.so"
loadmodule "jsonrpcs.so"
modparam("jsonrpcs", "fifo_name", "/run/kamailio/rpc.fifo")
modparam("jsonrpcs", "fifo_reply_dir", "/tmp/")
modparam("jsonrpcs", "dgram_socket", "/run/kamailio/rpc.sock")
"#,
        address: "unix:/run/kamailio/rpc.sock",
        advice: "Or fifo:/run/kamailio/rpc.fifo. The folder of replies ends with a slash, as Kamailio writes names right behind it. The panel must be of the server's group. With \"udp:10.0.0.5:8091\" in place of the socket's path it is udp://10.0.0.5:8091, from another host as well.",
    },
    Way {
        title: "Metrics, as Prometheus and OpenMetrics write them",
        lines: r#"loadmodule "httpd.so"
modparam("httpd", "ip", "10.0.0.5")
modparam("httpd", "port", 8888)
loadmodule "prometheus.so"
modparam("prometheus", "statistics", "core: dialog: load:")
"#,
        address: "prometheus+http://10.0.0.5:8888/metrics",
        advice: "These lines are OpenSIPS's; any other exporter is asked in the same way, such as at prometheus+http://10.0.0.5:9100/metrics. The first word of a metric is its group, and its labels stay in its name.",
    },
];

/// Draws them all.
pub(super) fn hints() -> AnyView {
    let ways = WAYS.iter().map(way).collect_view();
    view! {
        <section class="card form hints" aria-labelledby="hints-title">
            <h2 id="hints-title">"How a server comes to answer"</h2>
            {ways}
        </section>
    }
    .into_any()
}

fn way(way: &Way) -> impl IntoView + use<> {
    view! {
        <details>
            <summary>{way.title}</summary>
            <pre tabindex="0"><code>{way.lines}</code></pre>
            <p>"Its address is then " <code>{way.address}</code> ". " {way.advice}</p>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BoxKind;

    #[test]
    fn every_way_is_told_with_an_address_of_its_own() {
        let begins = ["http://", "fifo:/", "udp://", "unix:/", "xmlrpc+http://", "prometheus+http://"];
        for begin in begins {
            assert!(WAYS.iter().any(|way| way.address.starts_with(begin)), "{begin}");
        }
        for kind in BoxKind::REMOTE {
            let word = crate::wording::kind_name(kind).split(' ').next().unwrap_or_default();
            assert!(WAYS.iter().any(|way| way.title.contains(word) || way.title.contains("Prometheus")), "{word}");
        }
    }
}
