//! Starting and ending.

use server::{
    config::Database,
    serve::{Panel, ServeError},
};

use crate::support::{Start, database::is_on_server};

#[tokio::test]
async fn a_taken_port_is_said_with_the_flag_to_change_it() {
    let panel = Start::new().open().await;
    let mut config = Start::new().config();
    config.listen = panel.address;
    let Err(ServeError::Listen(text)) = Panel::start(config).await else { panic!("the port is taken") };
    assert!(text.contains(&panel.address.to_string()) && text.contains("--listen"), "{text}");
}

#[tokio::test]
async fn a_second_panel_on_one_file_is_refused() {
    if is_on_server() {
        return;
    }
    let start = Start::new();
    let config = start.config();
    let panel = start.open().await;
    let Err(error) = Panel::start(config.clone()).await else { panic!("the database is served already") };
    assert!(matches!(error, ServeError::Running(_)), "{error}");
    let _folder = panel.stop().await;
    Panel::start(config).await.expect("after the first has ended");
}

#[tokio::test]
async fn two_panels_with_databases_of_their_own_share_a_folder() {
    if is_on_server() {
        return;
    }
    let start = Start::new();
    let mut second = start.config();
    second.database = Database::parse(&second.database.url().replace("tickmark.db", "other.db")).unwrap();
    let panel = start.open().await;
    Panel::start(second).await.expect("it has a database of its own");
    panel.stop().await;
}
