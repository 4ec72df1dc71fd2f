-- Scripts, every version of them, what their runs did, and what they send that is not delivered yet.
create table script (
    script_id integer not null primary key autoincrement,
    name text not null,
    -- The number of the version that runs.
    version integer not null,
    source text not null,
    -- When it runs by itself, as people write it; empty: never.
    schedule text not null,
    -- Its due times after this one count, and the last of them that a panel claimed.
    since_ms integer not null,
    due_ms integer,
    -- No other run begins before: a run that goes on, or one that ended with its panel.
    busy_until_ms integer,
    created_ms integer not null,
    constraint script_name unique (name)
);
create table script_version (
    script_id integer not null,
    version integer not null,
    source text not null,
    schedule text not null,
    by_whom text not null,
    created_ms integer not null,
    constraint script_version_pk primary key (script_id, version),
    constraint script_version_script foreign key (script_id) references script (script_id)
);
create table script_run (
    run_id integer not null primary key autoincrement,
    script_id integer not null,
    version integer not null,
    started_ms integer not null,
    -- Milliseconds; null while it goes on.
    took_ms integer,
    -- What began it: due, event, hand, api; and who or which.
    began_by text not null,
    by_whom text not null,
    -- running, ok, failed, skipped, interrupted.
    outcome text not null,
    output text not null,
    -- What it changed, as JSON.
    changed text not null,
    error_line integer,
    error_column integer,
    error_message text,
    constraint script_run_script foreign key (script_id) references script (script_id)
);
create index script_run_script_index on script_run (script_id, run_id);
-- What is to be posted, in the order of its numbers; it outlives the script.
create table script_outbox (
    outbox_id integer not null primary key autoincrement,
    script_name text not null,
    line integer,
    -- The receiver knows by it what it has already.
    idempotency_key text not null,
    url text not null,
    content_type text not null,
    body text not null,
    created_ms integer not null,
    attempts integer not null,
    -- It is tried at this time: again, or for the first time. Null: it is over.
    next_ms integer,
    -- Over: delivered or given up; else waiting.
    outcome text not null,
    -- What came of the last try, in words.
    answer text not null,
    ended_ms integer
);
create index script_outbox_next on script_outbox (next_ms);
