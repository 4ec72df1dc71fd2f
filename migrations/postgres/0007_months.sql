-- Spans and chunks lie in parts: one for each tier, and in it one for each month (UTC) by start_ms, with what is before 1970 in one part and
-- what is from 2200 on in another. A month of which nothing is kept is dropped whole, which gives its room back at once. The parts of a month
-- are made by whoever stores the first span of it.
alter table span rename to span_before;
alter table span_before rename constraint span_pk to span_before_pk;
alter table chunk rename to chunk_before;
alter table chunk_before rename constraint chunk_pk to chunk_before_pk;

create table span (
    box_id bigint not null,
    tier bigint not null,
    start_ms bigint not null,
    seq bigint not null,
    end_ms bigint not null,
    polls bigint not null,
    payload bytea not null,
    -- Of it and its chunks, so that sizes are told without reading them.
    bytes bigint not null default 0,
    constraint span_pk primary key (box_id, tier, start_ms, seq)
) partition by list (tier);
alter table span alter payload set storage external;
create table span_raw partition of span for values in (0) partition by range (start_ms);
create table span_minute partition of span for values in (1) partition by range (start_ms);
create table span_hour partition of span for values in (2) partition by range (start_ms);

create table chunk (
    series_id bigint not null,
    tier bigint not null,
    start_ms bigint not null,
    seq bigint not null,
    end_ms bigint not null,
    samples bigint not null,
    payload bytea not null,
    constraint chunk_pk primary key (series_id, tier, start_ms, seq)
) partition by list (tier);
alter table chunk alter payload set storage external;
create table chunk_raw partition of chunk for values in (0) partition by range (start_ms);
create table chunk_minute partition of chunk for values in (1) partition by range (start_ms);
create table chunk_hour partition of chunk for values in (2) partition by range (start_ms);

do $$
declare
    month record;
    whole text;
begin
    for month in
        with there as (
            select distinct tier, case when start_ms < 0 then 'early' when start_ms >= 7258118400000 then 'late'
                else to_char(to_timestamp(start_ms / 1000) at time zone 'UTC', 'YYYY_MM') end as name
            from (select tier, start_ms from span_before union select tier, start_ms from chunk_before) as starts
        )
        select case tier when 0 then 'raw' when 1 then 'minute' when 2 then 'hour' end as tier, name,
            case name when 'early' then 'minvalue' when 'late' then '7258118400000'
                else (extract(epoch from to_date(name, 'YYYY_MM'))::bigint * 1000)::text end as from_ms,
            case name when 'early' then '0' when 'late' then 'maxvalue'
                else (extract(epoch from to_date(name, 'YYYY_MM') + interval '1 month')::bigint * 1000)::text end as to_ms
        from there
    loop
        foreach whole in array array['span', 'chunk'] loop
            execute format('create table %1$s_%2$s_%3$s partition of %1$s_%2$s for values from (%4$s) to (%5$s)',
                whole, month.tier, month.name, month.from_ms, month.to_ms);
        end loop;
    end loop;
end
$$;

insert into span (box_id, tier, start_ms, seq, end_ms, polls, payload, bytes)
    select box_id, tier, start_ms, seq, end_ms, polls, payload, bytes from span_before;
insert into chunk (series_id, tier, start_ms, seq, end_ms, samples, payload)
    select series_id, tier, start_ms, seq, end_ms, samples, payload from chunk_before;
drop table span_before;
drop table chunk_before;
-- Compared at once, which is quicker than row by row.
alter table span add constraint span_box foreign key (box_id) references box (box_id);
alter table chunk add constraint chunk_series foreign key (series_id) references series (series_id);
analyze span, chunk;
