-- Partitions by time are made, filled from the default one, and dropped by what the catalog says of them.
--
--     psql -X -v ON_ERROR_STOP=1 -f tests/sql/partitions.sql
--
-- Run as a superuser; everything is made in one transaction that is rolled back.

\set QUIET on
\o /dev/null
begin;
set local client_min_messages = warning;
create role partition_test_daemon;
set local fraiseql.grant_to = 'partition_test_daemon';
set local fraiseql.request_roles = '{}';
\ir ../../sql/system/000_schema.sql
create table fraiseql.cache_access_log (key text, accessed_at timestamptz not null) partition by range (accessed_at);
\ir ../../sql/system/060_partitions.sql
\ir ../../sql/system/060_partitions.sql
\ir ../support/checks.sql

-- Midnight here is not midnight in UTC, and dates are not written as ISO 8601 has them.
set local timezone = 'Pacific/Auckland';
set local datestyle = 'SQL, DMY';

create function pg_temp.partitions(parent regclass) returns text language sql stable as
$$
    select string_agg(format('%s %s %s', c.relname, to_char(p.lower_bound at time zone 'UTC', 'MM-DD"T"HH24'),
                             to_char(p.upper_bound at time zone 'UTC', 'MM-DD"T"HH24')), ', ' order by p.lower_bound)
      from fraiseql.partitions_of(parent) p join pg_class c on c.oid = p.partition where not p.is_default
$$;
create function checks.name_at(prefix text, at timestamptz, format text default '"_"YYYY"_"MM') returns text
    language sql stable as $$ select prefix || to_char(at at time zone 'UTC', format) $$;
create function pg_temp.rows_of(relation text) returns bigint language plpgsql stable as
$$
declare n bigint;
begin
    execute format('select count(*) from only %s', relation) into n;
    return n;
end
$$;

select checks.is((select count(*) from fraiseql.partitioned_tables where parent = 'fraiseql.cache_access_log'::regclass
                     and (unit, ahead, keep) = ('day', 3, 3)), 1::bigint,
                 'the cache''s access log, made by a file before, is registered');
select checks.is((select partitions from fraiseql.partition_status where parent = 'fraiseql.cache_access_log'::regclass), 4::bigint,
                 'registered means that the present partition and those ahead are there');

-- Registering.
create schema shop;
create table shop.log (id integer generated always as identity, at timestamptz, v text check (v <> 'x'), doubled integer);
drop table shop.log;
create table shop.log (gone text, at timestamptz not null, v text check (v <> 'x') default 'd',
                       long integer generated always as (length(v)) stored, primary key (at, v)) partition by range (at);
alter table shop.log drop column gone;
create index on shop.log (v);
select fraiseql.register_partitions('shop.log', 'month', 2, 6);
update fraiseql.partitioned_tables set keep = 12 where parent = 'shop.log'::regclass;
select fraiseql.register_partitions('shop.log', 'month', 5, 6);
select checks.is((select (ahead, keep) from fraiseql.partitioned_tables where parent = 'shop.log'::regclass), (2, 12),
                 'registered again, a table keeps an administrator''s numbers');
select checks.is((select (partitions, ahead_now, default_rows) from fraiseql.partition_status where parent = 'shop.log'::regclass),
                 (3::bigint, 2::bigint, 0::bigint), 'the status tells how many partitions there are, and how many ahead');
select checks.is((select count(*) from fraiseql.partitions_of('shop.log') where is_default), 1::bigint, 'there is one default partition');
create table shop.plain (at timestamptz);
create table shop.list (at timestamptz) partition by list (at);
create table shop.two (at timestamptz, n integer) partition by range (at, n);
select checks.fails(format('select fraiseql.register_partitions(%L, ''day'', 1, 1)', t), '42809',
                    'only what is partitioned by range of one time is registered')
  from unnest(array['shop.plain', 'shop.list', 'shop.two', 'pg_class']) t;
select checks.fails($$ select fraiseql.ensure_partitions('shop.plain') $$, '42704', 'only registered tables get partitions');
select checks.fails($$ select fraiseql.drop_old_partitions('shop.plain') $$, '42704', 'only registered tables lose them');
select checks.fails($$ select fraiseql.register_partitions('shop.log', 'hour', 1, 1) $$, '23514', 'a unit is a day, a week or a month');

-- Making.
select checks.is(fraiseql.ensure_partitions('shop.log'), 0, 'what is there is not made again');
select checks.is(fraiseql.ensure_partitions('shop.log', 4), 2, 'what is missing is made, and counted');
select checks.is(fraiseql.create_partition('shop.log', '2020-02-29 23:59:59+00'), 'log_2020_02', 'a partition is named by its month');
select checks.is(fraiseql.create_partition('shop.log', '2020-03-01 12:00+13'), 'log_2020_02', 'in UTC, whatever the session''s time zone');
select checks.is((select (lower_bound, upper_bound) from fraiseql.partitions_of('shop.log') where partition = 'shop.log_2020_02'::regclass),
                 ('2020-02-01 00:00+00'::timestamptz, '2020-03-01 00:00+00'::timestamptz), 'bounds are midnights in UTC');
select checks.is(fraiseql.create_partition('shop.log', null), null, 'no time, no partition');
select checks.fails($$ select fraiseql.create_partition('shop.log', 'infinity') $$, '22023', 'no partition begins at no time');
select checks.fails($$ select fraiseql.ensure_partitions('shop.log', -1) $$, '22023', 'ahead is not behind');

-- Rows that came before their partition.
insert into shop.log (at, v) values ('2021-05-31 23:59:59.999999+00', 'may'), ('2021-06-01 00:00+00', 'june'),
                                    ('2021-06-30 23:00+00', 'also'), ('2021-07-01 00:00+00', 'july');
select checks.is((select default_rows from fraiseql.partition_status where parent = 'shop.log'::regclass), 4::bigint,
                 'rows that find no partition are told');
select fraiseql.create_partition('shop.log', '2021-06-15 00:00+00');
select checks.is(pg_temp.rows_of('shop.log_2021_06'), 2::bigint, 'they are moved when it is made');
select checks.is(pg_temp.rows_of('shop.log_default'), 2::bigint, 'the others stay');
select checks.is((select sum(long) from shop.log), 15::bigint, 'nothing is lost');
select checks.is((select row_count from fraiseql.default_partition_rows() where parent = 'shop.log'::regclass), 2::bigint,
                 'rows in default partitions are counted');
select checks.is((select count(*) from pg_index where indrelid = 'shop.log_2021_06'::regclass), 2::bigint, 'partitions have the table''s indexes');
create table shop.reference (at timestamptz, v text, foreign key (at, v) references shop.log);
insert into shop.reference select at, v from shop.log where v = 'july';
select checks.fails($$ select fraiseql.create_partition('shop.log', '2021-07-15') $$, '2BP01', 'rows that others reference are not moved');
drop table shop.reference;

-- Other lengths, and names that are taken.
create table shop.days (at timestamp not null) partition by range (at);
create table shop.days_taken partition of shop.days for values from ('2022-03-10 06:00') to ('2022-03-12');
create table shop.days_2022_03_13 ();
insert into fraiseql.partitioned_tables values ('shop.days', 'day', 0, null);
select checks.is(fraiseql.create_partition('shop.days', '2022-03-11 00:00+00'), 'days_taken', 'what covers a time is its partition');
select checks.is(fraiseql.create_partition('shop.days', '2022-03-10 01:00+00'), 'days_2022_03_10', 'a gap is filled');
select checks.is(fraiseql.create_partition('shop.days', '2022-03-13 01:00+00'), 'days_2022_03_13_x1', 'a name that is taken is not used');
update fraiseql.partitioned_tables set unit = 'month' where parent = 'shop.days'::regclass;
select fraiseql.create_partition('shop.days', '2022-03-31 00:00+00');
update fraiseql.partitioned_tables set unit = 'week' where parent = 'shop.days'::regclass;
select fraiseql.create_partition('shop.days', '2021-01-03 00:00+00'), fraiseql.create_partition('shop.days', '2021-01-04 00:00+00');
select checks.is(pg_temp.partitions('shop.days'),
                 'days_2020_w53 12-28T00 01-04T00, days_2021_w01 01-04T00 01-11T00, days_2022_03_10 03-10T00 03-10T06, '
                 'days_taken 03-10T06 03-12T00, days_2022_03_13_x1 03-13T00 03-14T00, days_2022_03 03-14T00 04-01T00',
                 'partitions of several lengths stand beside each other');
create table shop.dates (at date not null) partition by range (at);
create table shop.dates_ever partition of shop.dates for values from ('2024-01-01') to (maxvalue);
select fraiseql.register_partitions('shop.dates', 'week', 5, 1);
select checks.is((select count(*) from fraiseql.partitions_of('shop.dates')), 2::bigint, 'a partition without end is all that lies ahead');
select checks.is(fraiseql.create_partition('shop.dates', '2023-12-31 12:00+00'), 'dates_2023_w52', 'dates partition too');
create table shop.this_name_is_as_long_as_names_can_be_in_postgresql_sixty_three (at timestamptz not null) partition by range (at);
select fraiseql.register_partitions('shop.this_name_is_as_long_as_names_can_be_in_postgresql_sixty_three', 'day', 3, 3);
select checks.is((select count(*) from fraiseql.partitions_of('shop.this_name_is_as_long_as_names_can_be_in_postgresql_sixty_three')),
                 5::bigint, 'long names are cut before what tells them apart');
create table shop."Odd %s ""name""" ("a t" timestamptz not null) partition by range ("a t");
create unlogged table shop.odd_rest partition of shop."Odd %s ""name""" default;
insert into shop."Odd %s ""name""" values (now());
select fraiseql.register_partitions('shop."Odd %s ""name"""', 'day', 1, 1);
select checks.is(pg_temp.rows_of('shop.odd_rest'), 0::bigint, 'names are quoted');
select checks.is((select string_agg(distinct c.relpersistence::text, '') from pg_class c, fraiseql.partitions_of('shop."Odd %s ""name"""') p
                   where c.oid = p.partition), 'u', 'partitions are unlogged as the default one is');

-- Dropping: twelve months are kept.
select fraiseql.create_partition('shop.log', date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - i * interval '1 month')
  from generate_series(0, 15) i;
create table shop.log_2019_01 (like shop.log);
create table shop.log_bak_2018 (like shop.log);
select checks.is(fraiseql.drop_old_partitions('shop.log') >= 2, true, 'what is older than is kept is dropped');
select checks.is((select bool_or(upper_bound <= now() - interval '12 months') from fraiseql.partitions_of('shop.log')), false, 'all of it');
select checks.is((select count(*) from fraiseql.partitions_of('shop.log') where lower_bound < now() and upper_bound > now() - interval '12 months'),
                 13::bigint, 'and no more');
select checks.is(to_regclass('shop.log_2019_01') is not null and to_regclass('shop.log_bak_2018') is not null, true,
                 'what is only named like a partition stays');
select checks.is(pg_temp.rows_of('shop.log_default'), 2::bigint, 'the default partition stays with its rows');
select checks.is(fraiseql.drop_old_partitions('shop.log', 0), 12, 'a number says otherwise');
select checks.is((select min(lower_bound) <= now() from fraiseql.partitions_of('shop.log')), true, 'the present is never dropped');
select checks.is(fraiseql.drop_partitions_before('shop.log', 'infinity'), 0, 'whatever is asked for');
select checks.fails($$ select fraiseql.drop_old_partitions('shop.log', -1) $$, '22023', 'what lies ahead is not old');
select checks.is(fraiseql.drop_old_partitions('shop.days'), 0, 'keep null keeps all');

-- The daemon's own tables, by their names, through search_path.
select checks.fails('select fraiseql.ensure_error_occurrence_partitions(3)', '42P01', 'a table that is not there is told');
create table fraiseql.tb_error_occurrence (occurred_at timestamptz not null) partition by range (occurred_at);
select fraiseql.register_partitions('fraiseql.tb_error_occurrence', 'month', 3, 6);
create table fraiseql.otel_traces (start_time timestamptz not null) partition by range (start_time);
select fraiseql.register_partitions('fraiseql.otel_traces', 'day', 7, 14);
insert into fraiseql.otel_traces values (now());
set local role partition_test_daemon;
set local search_path = "$user", public, fraiseql;
select checks.is(create_error_occurrence_partition(NOW()), checks.name_at('tb_error_occurrence', now()), 'the case study''s statements run');
select checks.is(create_error_occurrence_partition(NOW() + INTERVAL '1 month'),
                 checks.name_at('tb_error_occurrence', now() + interval '1 month'), 'the case study''s statements run');
select checks.is(create_error_occurrence_partition(date '2020-01-01'), 'tb_error_occurrence_2020_01', 'a date is a day in UTC');
select checks.is(create_error_occurrence_partition('2020-02-01 10:00+00'), 'tb_error_occurrence_2020_02', 'a text is a time');
SELECT ensure_error_occurrence_partitions(3);
select checks.is(ensure_error_occurrence_partitions(5), 2, 'three months ahead were there, five are now');
select checks.is(drop_old_error_occurrence_partitions(6), 2, 'what is older than six months is dropped');
select create_error_occurrence_partition(date '2020-01-01');
select checks.is(drop_old_error_occurrence_partitions(), 1, 'as registered, unless said');
select checks.is(ensure_otel_traces_partitions(9), 2, 'traces are counted in days');
select checks.is(create_otel_traces_partition(date '2024-02-29'), 'otel_traces_2024_02_29', 'and named by them');
select checks.is(drop_old_otel_traces_partitions(14), 1, 'and dropped by them');
select checks.is(ensure_cache_access_log_partitions() + drop_old_cache_access_log_partitions(), 0, 'each table has its functions');
select checks.is((select count(*) from get_partition_stats() where table_name = 'otel_traces'), 11::bigint, 'statistics tell each partition');
select checks.is((select count(*) from partition_stats where parent = 'fraiseql.otel_traces'::regclass and bytes > 0), 1::bigint,
                 'and the bytes of those that have any');
select checks.is((select max(default_rows) from partition_status where parent = 'fraiseql.otel_traces'::regclass), 0::bigint, 'the daemon sees the status');
select checks.fails($$ select fraiseql.register_partitions('fraiseql.otel_traces', 'day', 1, 1) $$, '42501', 'but registers nothing');
select checks.fails($$ update fraiseql.partitioned_tables set keep = 0 $$, '42501', 'and changes no numbers');
reset role;
create role partition_test_other;
set local role partition_test_other;
select checks.fails('select fraiseql.drop_old_error_occurrence_partitions(6)', '42501', 'others may nothing');
reset role;
drop table fraiseql.otel_traces;
select checks.is((select count(*) from fraiseql.partition_status where unit = 'day' and parent <> 'fraiseql.cache_access_log'::regclass),
                 2::bigint, 'a table that is gone is not told');

rollback;
