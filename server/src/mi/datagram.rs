//! Datagrams: JSON-RPC or a command of 2.x, one a datagram, and an answer for each. It must not know what the commands do.

use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::{
    Mi,
    frames::{Frame, lines},
    is_large, old,
    rpc::{self, Answer},
};

/// The largest datagram there is.
const MAX_DATAGRAM: usize = 65_507;

/// Answers until it is stopped.
pub(super) async fn serve(mi: Arc<Mi>, socket: UdpSocket, stop: CancellationToken) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        // An earlier answer that found nobody is told here; it concerns nobody else.
        let Ok((bytes, peer)) = received else { continue };
        let Some(answer) = answer(&mi, buffer[..bytes].to_vec()).await else { continue };
        let answer = if answer.len() > MAX_DATAGRAM { "500 Internal error".to_owned() } else { answer };
        // Nobody may be there any more.
        let _ = socket.send_to(answer.as_bytes(), peer).await;
    }
}

/// None for what is no question: an answer to an answer could go back and forth for ever.
async fn answer(mi: &Arc<Mi>, question: Vec<u8>) -> Option<String> {
    match question.iter().find(|byte| !byte.is_ascii_whitespace())? {
        b'{' | b'[' => match mi.work(is_large(&question), move |mi| rpc::answer(mi, &question)).await? {
            Answer::Json(text) => Some(text),
            Answer::Unreadable(_) => Some("400 Parse_error".to_owned()),
            Answer::None => None,
        },
        b':' => {
            let Some(Frame::Lines { command, words, .. }) = std::str::from_utf8(&question).ok().and_then(lines) else {
                return Some("400 Parse_error".to_owned());
            };
            let done = mi.work(false, move |mi| old::run(mi, &command, words, true)).await?;
            Some(match &done {
                Err(fault) if fault.message == old::UNKNOWN => "500 command not available\n".to_owned(),
                done => old::text(done),
            })
        }
        _ => None,
    }
}
