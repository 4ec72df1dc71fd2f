-- The panels that share a database and what each of them polls: on PostgreSQL. A file has one panel, and no row in these.
create table panel (
    panel_id integer not null primary key autoincrement,
    url text not null,
    seen_ms integer not null,
    -- The same of all panels that began with one lock: there is one at a time.
    identity text not null,
    process integer,
    process_began text
);
create table lease (
    box_id integer not null,
    panel_id integer,
    generation integer not null,
    first_seq integer not null,
    constraint lease_pk primary key (box_id),
    constraint lease_box foreign key (box_id) references box (box_id),
    constraint lease_panel foreign key (panel_id) references panel (panel_id) on delete set null
);
create table live (
    box_id integer not null,
    version integer not null,
    payload blob not null,
    names_version integer not null,
    names blob not null,
    constraint live_pk primary key (box_id)
);
