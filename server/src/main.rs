//! `tickmark`: reads the command line, then serves the panel or runs a command.

use std::{io::IsTerminal as _, process::ExitCode};

use clap::Parser as _;
use server::{
    cli::{self, Cli, Outcome},
    config::{Environment, LogConfig, LogFormat},
    runtime, serve,
};
use tracing_subscriber::EnvFilter;

/// Gives memory back to the system when it is not used.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    runtime::run(tickmark()).unwrap_or_else(|error| {
        eprintln!("tickmark: no threads can be started: {error}");
        ExitCode::FAILURE
    })
}

async fn tickmark() -> ExitCode {
    match cli::run(Cli::parse(), &Environment::of_process()).await {
        Ok(Outcome::Done(code)) => code,
        Ok(Outcome::Serve(config)) => {
            log(&config.log);
            match serve::run(*config).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("tickmark: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tickmark: {error}");
            error.exit_code()
        }
    }
}

/// Logs go to stderr: stdout is for what a person or a script asked for.
fn log(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
