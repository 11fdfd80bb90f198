create table builds (
  id integer primary key,
  branch text,
  revision text,
  requested_by text not null,
  status text,
  started_at integer,
  finished_at integer
);
create table build_queue (
  position integer primary key,
  id integer not null unique references builds
);
