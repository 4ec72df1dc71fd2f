-- Rules over what boxes tell: name, and what it says as JSON.
create table alert_rule (
    name text not null,
    body text not null,
    origin text not null,
    created_ms integer not null,
    constraint alert_rule_pk primary key (name)
);

-- What a rule did on a box, from when it fired to when it was over. The box may be gone since.
create table alert_event (
    event_id integer not null primary key autoincrement,
    rule text not null,
    box_id integer not null,
    box_name text not null,
    severity text not null,
    message text not null,
    value text,
    since_ms integer not null,
    fired_ms integer not null,
    ended_ms integer,
    -- 1: destinations were told that it fired, so that they are told that it is over.
    told integer not null,
    told_ms integer,
    acknowledged_by text,
    acknowledged_ms integer
);
create index alert_event_fired on alert_event (fired_ms);
create index alert_event_open on alert_event (rule, box_id) where ended_ms is null;

-- How a rule stands on a box where it is not well: pending (no event) or firing.
create table alert_state (
    rule text not null,
    box_id integer not null,
    since_ms integer not null,
    event_id integer,
    constraint alert_state_pk primary key (rule, box_id)
);

-- Nobody is told of a rule (on a box, or on all) in a span, or once: until it is over.
create table alert_silence (
    silence_id integer not null primary key autoincrement,
    rule text not null,
    box_id integer,
    from_ms integer not null,
    to_ms integer,
    by_whom text
);

create table destination (
    name text not null,
    body text not null,
    secret_sealed blob,
    origin text not null,
    created_ms integer not null,
    constraint destination_pk primary key (name)
);

-- Messages on their way, and what became of them. One that is claimed is sent by whoever claimed it until then.
create table delivery (
    delivery_id integer not null primary key autoincrement,
    destination text not null,
    body text not null,
    made_ms integer not null,
    due_ms integer not null,
    claimed_ms integer not null default 0,
    tries integer not null default 0,
    done_ms integer,
    -- Why it did not arrive, the last time; null when it did.
    reason text
);
create index delivery_waiting on delivery (destination, delivery_id) where done_ms is null;
create index delivery_done on delivery (done_ms);
