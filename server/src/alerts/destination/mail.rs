//! E-mail, by lettre: text, and the chart as a picture.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{Attachment, Mailbox, MultiPart, SinglePart, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls as SmtpTls, TlsParameters},
    },
};

use super::{Destination, Parcel, Refused, Tls};

/// A mail server answers within this time.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) fn check(destination: &Destination) -> Result<(), (&'static str, String)> {
    let (host, _) = server(destination).map_err(|message| ("server", message))?;
    if destination.tls == Tls::None && !is_local(&host) && !destination.user.is_empty() {
        return Err(("tls", "is needed where a password is sent to another host".to_owned()));
    }
    mailbox(&destination.from).map_err(|message| ("from", message))?;
    let receivers = receivers(destination).map_err(|message| ("to", message))?;
    if receivers.is_empty() { Err(("to", "is needed: addresses with commas between".to_owned())) } else { Ok(()) }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Host and port.
fn server(destination: &Destination) -> Result<(String, u16), String> {
    let usual = match destination.tls {
        Tls::Starttls => 587,
        Tls::Tls => 465,
        Tls::None => 25,
    };
    match destination.server.rsplit_once(':') {
        None => Ok((destination.server.clone(), usual)),
        Some((host, port)) => {
            let port = port.parse().map_err(|_| "is no host with a port: write such as mail.example:587".to_owned())?;
            Ok((host.to_owned(), port))
        }
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is no address: write such as panel@example.org"))
}

fn receivers(destination: &Destination) -> Result<Vec<Mailbox>, String> {
    destination.to.split(',').filter(|text| !text.trim().is_empty()).map(mailbox).collect()
}

fn written(destination: &Destination, parcel: &Parcel<'_>) -> Result<Mail, String> {
    let title: String = parcel.message.title().chars().filter(|letter| !letter.is_control()).take(200).collect();
    let mut mail = Mail::builder().from(mailbox(&destination.from)?).subject(title).message_id(Some(format!("<{}@tickmark>", parcel.key)));
    for receiver in receivers(destination)? {
        mail = mail.to(receiver);
    }
    let text = SinglePart::plain(parcel.message.text());
    let whole = match parcel.chart {
        None => mail.singlepart(text),
        Some(chart) => {
            let picture = ContentType::parse("image/png").map_err(|error| error.to_string())?;
            let picture = Attachment::new("chart.png".to_owned()).body(chart.to_vec(), picture);
            mail.multipart(MultiPart::mixed().singlepart(text).singlepart(picture))
        }
    };
    whole.map_err(|error| error.to_string())
}

pub(super) async fn send(destination: &Destination, secret: &str, parcel: &Parcel<'_>) -> Result<(), Refused> {
    let mail = written(destination, parcel).map_err(Refused::for_good)?;
    let (host, port) = server(destination).map_err(Refused::for_good)?;
    let builder = match destination.tls {
        Tls::Starttls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host),
        Tls::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&host),
        Tls::None => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)),
    };
    let mut builder = builder.map_err(|error| Refused::once(error.to_string()))?.port(port).timeout(Some(LIMIT));
    if !destination.ca.is_empty() && destination.tls != Tls::None {
        let parameters = issuer(&host, &destination.ca).await.map_err(Refused::once)?;
        builder = builder.tls(if destination.tls == Tls::Tls { SmtpTls::Wrapper(parameters) } else { SmtpTls::Required(parameters) });
    }
    if !destination.user.is_empty() {
        builder = builder.credentials(Credentials::new(destination.user.clone(), secret.to_owned()));
    }
    match builder.build().send(mail).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Refused { for_good: error.is_permanent(), reason: why(&error) }),
    }
}

/// TLS that takes a certificate of this issuer alone beside those that the system knows.
async fn issuer(host: &str, path: &str) -> Result<TlsParameters, String> {
    let pem = tokio::fs::read(path).await.map_err(|error| format!("{path} cannot be read: {error}"))?;
    let certificate = Certificate::from_pem(&pem).map_err(|_| format!("{path} holds no certificate in PEM"))?;
    TlsParameters::builder(host.to_owned()).add_root_certificate(certificate).build().map_err(|error| error.to_string())
}

fn why(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
