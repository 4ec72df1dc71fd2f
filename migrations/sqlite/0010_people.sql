-- What an account may: read, tick or admin. Those that were there before may do everything.
alter table account add column scope text not null default 'admin';
