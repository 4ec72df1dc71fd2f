-- The stored formats (head rows, spans, chunks) are described in ../README.md.

-- One row. Counts the changes to boxes, ticks, kinds, accounts and tokens, so that another process notices them.
create table revision (
    revision_id integer not null,
    changes integer not null,
    constraint revision_pk primary key (revision_id),
    constraint revision_one check (revision_id = 1)
);
insert into revision (revision_id, changes) values (1, 0);

create table setting (
    setting_key text not null,
    setting_value text not null,
    constraint setting_pk primary key (setting_key)
) without rowid;

create table box (
    box_id integer not null primary key autoincrement,
    name text not null,
    address text not null,
    kind text not null,
    interval_ms integer,
    labels text not null,
    paused integer not null,
    origin text not null,
    user_name text,
    password_sealed blob,
    -- The address in the configuration file for which kind and address were found out by asking.
    found_for text,
    created_ms integer not null,
    -- Set when the box was removed and its history kept.
    removed_ms integer,
    -- 1: removed with its history, which is being deleted.
    purging integer not null default 0,
    -- The number and the time of the last poll that is sealed.
    sealed_seq integer not null default 0,
    sealed_ms integer,
    -- When the server last started, as far as its polls told.
    started_ms integer,
    constraint box_paused check (paused in (0, 1)),
    constraint box_purging check (purging in (0, 1))
);
create unique index box_name_unique on box (name) where removed_ms is null;

create table tick (
    tick_id integer not null primary key autoincrement,
    box_id integer not null,
    pattern text not null,
    is_exception integer not null,
    origin text not null,
    constraint tick_unique unique (box_id, pattern, is_exception),
    constraint tick_box foreign key (box_id) references box (box_id),
    constraint tick_is_exception check (is_exception in (0, 1))
);

-- The kinds that an operator corrected.
create table kind (
    box_id integer not null,
    name text not null,
    kind text not null,
    constraint kind_pk primary key (box_id, name),
    constraint kind_box foreign key (box_id) references box (box_id)
) without rowid;

create table account (
    account_id integer not null primary key autoincrement,
    name text not null,
    password_hash text not null,
    origin text not null,
    created_ms integer not null,
    constraint account_name_unique unique (name)
);

create table session (
    session_hash blob not null,
    account_id integer not null,
    created_ms integer not null,
    expires_ms integer not null,
    constraint session_pk primary key (session_hash),
    constraint session_account foreign key (account_id) references account (account_id)
) without rowid;
create index session_account on session (account_id);

create table token (
    token_id integer not null primary key autoincrement,
    name text not null,
    scope text not null,
    token_hash blob not null,
    created_ms integer not null,
    constraint token_name_unique unique (name),
    constraint token_hash_unique unique (token_hash)
);

create table series (
    series_id integer not null primary key autoincrement,
    box_id integer not null,
    name text not null,
    constraint series_name_unique unique (box_id, name),
    constraint series_box foreign key (box_id) references box (box_id)
);

-- Which series the cells of a head row belong to.
create table layout (
    layout_id integer not null primary key autoincrement,
    box_id integer not null,
    series blob not null,
    constraint layout_box foreign key (box_id) references box (box_id)
);
create index layout_box on layout (box_id);

-- One row per box and poll, until it is sealed. seq counts the polls of a box and never turns back, whatever the clock does.
create table head (
    box_id integer not null,
    seq integer not null,
    at_ms integer not null,
    interval_ms integer not null,
    layout_id integer not null,
    is_key integer not null,
    -- The bytes of this row and of all before it: the difference of two rows tells how large the head is.
    total_bytes integer not null,
    payload blob not null,
    constraint head_pk primary key (box_id, seq),
    constraint head_box foreign key (box_id) references box (box_id),
    constraint head_layout foreign key (layout_id) references layout (layout_id),
    constraint head_is_key check (is_key in (0, 1))
) without rowid;
create index head_layout on head (layout_id);

-- The poll times of a sealed run of one box; seq is that of its first poll. Tier 0: samples themselves; others are for roll-ups.
create table span (
    box_id integer not null,
    tier integer not null,
    start_ms integer not null,
    seq integer not null,
    end_ms integer not null,
    polls integer not null,
    payload blob not null,
    constraint span_pk primary key (box_id, tier, start_ms, seq),
    constraint span_box foreign key (box_id) references box (box_id)
) without rowid;

-- The values of one series in a span. With a rowid, other than the tables around it: rows are added at the end, page after page full,
-- where a table in the order of its key would split pages and leave a third of them empty.
create table chunk (
    series_id integer not null,
    tier integer not null,
    start_ms integer not null,
    seq integer not null,
    end_ms integer not null,
    samples integer not null,
    payload blob not null,
    constraint chunk_pk primary key (series_id, tier, start_ms, seq),
    constraint chunk_series foreign key (series_id) references series (series_id)
);

create table gap (
    box_id integer not null,
    from_ms integer not null,
    to_ms integer not null,
    reason text not null,
    constraint gap_pk primary key (box_id, from_ms),
    constraint gap_box foreign key (box_id) references box (box_id)
) without rowid;

-- Instants at which a counter, or all of a box's (no series), began anew.
create table mark (
    mark_id integer not null primary key autoincrement,
    box_id integer not null,
    series_id integer,
    at_ms integer not null,
    cause text not null,
    by_whom text,
    constraint mark_box foreign key (box_id) references box (box_id)
);
create index mark_at on mark (box_id, at_ms);
