-- A server's spans and chunks lie in parts by month from here on. A file gives its room back page by page, and has none.
select 1;
