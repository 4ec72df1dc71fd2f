-- How a box stood when what happened to it was noted last, for the scripts that run then: up, down or paused, when it started, and at which
-- address. What happened waits in alert_news beside what alerts did, until the scripts that wait for it ran.
alter table box add column seen_state text;
alter table box add column seen_started_ms integer;
alter table box add column seen_address text;
-- What of alert_news began the run: it begins none of this script again.
alter table script_run add column news_id integer;
