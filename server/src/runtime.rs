//! The threads of the process: how many, and that none of them keeps it from ending. It must not know what they do.

use std::{io, num::NonZero, thread};

use tokio::runtime::Builder;

/// With one thread alone a page that is drawn would hold up everything else.
const MIN_WORKERS: usize = 2;

/// Runs `work` to its end. What it left blocking then (the system's resolver may ask a dead name server for half a minute) is left
/// behind: nobody waits for it, and the process takes it along when it ends.
///
/// # Errors
/// When the system gives no threads.
pub fn run<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let cores = thread::available_parallelism().map_or(MIN_WORKERS, NonZero::get);
    let runtime = Builder::new_multi_thread().worker_threads(cores.max(MIN_WORKERS)).enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn what_blocks_does_not_hold_the_end() {
        let (release, released) = mpsc::channel::<()>();
        let (blocks, blocking) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let done = run(async move {
                tokio::task::spawn_blocking(move || {
                    blocks.send(()).unwrap();
                    // Until the test ends, as a resolver whose server is dead.
                    released.recv()
                });
                blocking.recv().unwrap();
                7
            });
            end.send(done.unwrap()).unwrap();
        });
        assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok(7));
        drop(release);
    }

    #[test]
    fn a_worker_that_is_busy_leaves_one_for_the_rest() {
        let workers = run(async { tokio::runtime::Handle::current().metrics().num_workers() }).unwrap();
        assert!(workers >= MIN_WORKERS, "{workers}");
    }
}
