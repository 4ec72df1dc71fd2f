//! The fields of certificates on the page Boxes: what they say is kept behind the `#` of the address, and nowhere else.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Start, TestPanel};

const PLAIN: &str = "https://127.0.0.1:1/mi";

/// Names and values of a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

/// Sends the form as the page has it, with these fields; what the panel answers.
async fn sent(panel: &TestPanel, path: &str, fields: Fields<'_>) -> (StatusCode, String) {
    let form = [fields, &[("name", "sip1"), ("kind", "opensips"), ("do", "add"), ("box", "sip1")]].concat();
    let answer = panel.form(path, &form).await;
    (answer.status(), answer.text().await.unwrap())
}

async fn kept(panel: &TestPanel) -> String {
    panel.get("/cp/api/v1/boxes/sip1").await["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn they_are_kept_in_the_address_and_shown_in_their_fields() {
    let panel = Start::new().signed_in().await;
    let files = [("ca", "/etc/a b.pem"), ("cert", "/c.pem"), ("key", "/k.pem")];
    let (status, page) = sent(&panel, "/cp/boxes", &[&[("address", PLAIN)], &files[..]].concat()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let whole = format!("{PLAIN}#ca=/etc/a%20b.pem&cert=/c.pem&key=/k.pem");
    assert_eq!(kept(&panel).await, whole);

    let page = panel.ask(Method::GET, "/cp/boxes?edit=sip1", None).await.text().await.unwrap();
    let form = &page[page.find("id=\"box-form\"").unwrap()..];
    for value in [PLAIN, "/etc/a b.pem", "/c.pem", "/k.pem"] {
        assert!(form.contains(&format!("value=\"{value}\"")), "{value} in {form}");
    }
    // As it was shown it changes nothing; a whole address that says the same is the same.
    for address in [PLAIN, &whole] {
        let (status, page) = sent(&panel, "/cp/boxes/edit", &[&[("address", address)], &files[..]].concat()).await;
        assert_eq!((status, kept(&panel).await.as_str()), (StatusCode::SEE_OTHER, whole.as_str()), "{page}");
    }
    // Cleared fields and a check box.
    let (status, page) = sent(&panel, "/cp/boxes/edit", &[("address", PLAIN), ("verify", "off")]).await;
    assert_eq!((status, kept(&panel).await), (StatusCode::SEE_OTHER, format!("{PLAIN}#verify=off")), "{page}");
    let page = panel.ask(Method::GET, "/cp/boxes?edit=sip1", None).await.text().await.unwrap();
    let at = page.find("id=\"f-verify\"").unwrap();
    assert!(page[at..][..200].contains("checked"), "{}", &page[at..][..200]);
    let (status, _) = sent(&panel, "/cp/boxes/edit", &[("address", PLAIN)]).await;
    assert_eq!((status, kept(&panel).await.as_str()), (StatusCode::SEE_OTHER, PLAIN));
    // Typed behind the address, with the rest in a field.
    let (status, _) =
        sent(&panel, "/cp/boxes/edit", &[("address", &format!("{PLAIN}#cert=/c.pem")), ("key", "/k.pem"), ("cert", "/c.pem")]).await;
    assert_eq!((status, kept(&panel).await), (StatusCode::SEE_OTHER, format!("{PLAIN}#cert=/c.pem&key=/k.pem")));
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_stays() {
    let panel = Start::new().signed_in().await;
    let cases: [(Fields<'_>, &str, &str); 7] = [
        (&[("address", PLAIN), ("ca", "ca.pem")], "ca", "whole path"),
        (&[("address", PLAIN), ("cert", "/")], "cert", "whole path"),
        (&[("address", PLAIN), ("key", "/k.pem")], "cert", "the certificate that the key belongs to"),
        (&[("address", PLAIN), ("ca", "/ca.pem"), ("verify", "off")], "ca", "nobody looks at its issuer"),
        (&[("address", "https://127.0.0.1:1/mi#ca=/x.pem"), ("ca", "/ca.pem")], "ca", "another file"),
        (&[("address", "http://127.0.0.1:1/mi"), ("ca", "/ca.pem")], "address", "begin with https://"),
        (&[("address", "fifo:/tmp/f"), ("verify", "off")], "address", "begin with https://"),
    ];
    for (fields, field, expect) in cases {
        for press in ["add", "probe"] {
            let (status, page) = sent(&panel, "/cp/boxes", &[&[("do", press)], fields].concat()).await;
            let (_, problem) = page.split_once(&format!("id=\"e-{field}\"")).unwrap_or_else(|| panic!("{fields:?}: {page}"));
            assert!(problem[..problem.find('<').unwrap()].contains(expect), "{fields:?}: {page}");
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            for (_, typed) in fields.iter().filter(|(name, _)| *name != "verify") {
                assert!(page.contains(&format!("value=\"{typed}\"")), "{fields:?}: {typed} in {page}");
            }
        }
    }
    let (_, page) = sent(&panel, "/cp/boxes", &[("do", "probe"), ("address", PLAIN), ("ca", "/nowhere/ca.pem")]).await;
    assert!(page.contains("/nowhere/ca.pem") && page.contains("No box found"), "{page}");
    assert_eq!(panel.send(Method::GET, "/cp/api/v1/boxes/sip1", json!(null), StatusCode::NOT_FOUND).await["status"], 404);
}
