-- What an account may: read, tick or admin. Those that were there before may do everything.
alter table account add column scope text not null default 'admin';
-- How somebody likes the pages to look, JSON; see app/src/model/taste.rs.
alter table account add column taste text not null default '{}';
