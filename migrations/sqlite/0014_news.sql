-- What alerts did, for the scripts that run then: it waits until the panel that runs them takes it. body: JSON, see server/src/store/news.rs.
create table alert_news (
    news_id integer not null primary key autoincrement,
    body text not null
);
