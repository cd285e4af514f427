-- A database with what makes reading a catalog hard. Run in a transaction to be rolled back, or in a
-- database to be dropped; `capture` writes fixture.json with it.

create role shop_owner;
create role shop_user;
create schema shop authorization shop_owner;
grant usage on schema shop to shop_user;
set role shop_owner;

create domain shop.email as text check (value like '%@%');
create domain shop.required_email as shop.email not null;
create type shop.order_status as enum ('NEW', 'in progress', 'in-progress', 'true', '2nd');
create type shop.spot as (x int, y int);

create table shop.companies (
    id uuid primary key,
    name text not null,
    slug text unique,
    contact shop.required_email,
    unique (name)
);
comment on table shop.companies is $$Somebody to sell to.
@fraiseql:type
key: id$$;
comment on column shop.companies.slug is $$Short name.
@deprecated use name$$;
alter table shop.companies enable row level security;

create table shop.people (
    id bigint generated always as identity primary key,
    company_id uuid not null references shop.companies,
    manager_id bigint references shop.people,
    email shop.email not null,
    secret_nick text,
    unique (company_id, email)
);

create table shop.orders (
    company_id uuid not null references shop.companies,
    number int not null,
    status shop.order_status not null default 'NEW',
    buyer_id bigint not null references shop.people,
    approver_id bigint references shop.people,
    total numeric(12, 2),
    placed_at timestamptz not null,
    tags text[] not null default '{}',
    states shop.order_status[],
    raw json,
    doc jsonb,
    seen_from inet,
    spot shop.spot,
    "line count" int,
    dropped int,
    short varchar(20),
    primary key (company_id, number)
);
alter table shop.orders drop column dropped;

create table shop.order_lines (
    company_id uuid not null,
    number int not null,
    line int not null,
    product text not null,
    primary key (company_id, number, line),
    foreign key (company_id, number) references shop.orders
);

create table shop.events (
    id bigint not null,
    at date not null,
    order_company_id uuid,
    order_number int,
    primary key (id, at),
    foreign key (order_company_id, order_number) references shop.orders
) partition by range (at);
create table shop.events_2026 partition of shop.events for values from ('2026-01-01') to ('2027-01-01');

-- An heir's rows are read with its parent's, past the parent's key.
create table shop.notes (id int primary key, text text not null);
create table shop.long_notes () inherits (shop.notes);

create table shop.badges (
    person_id bigint primary key references shop.people,
    code text not null
);
create table shop.secrets (id int primary key, word text);

-- One row of the table each.
create view shop.v_company with (security_barrier) as
select id, name, slug, contact from shop.companies;
create view shop.v_order as select * from shop.orders;
-- Over a view, renamed, some rows.
create view shop.v_big_order as
select company_id, number as no, status, total, buyer_id from shop.v_order where total > 1000;
create view shop.v_order_line as
select l.company_id, l.number, l.line, l.product, upper(l.product) as loud from shop.order_lines l;
-- The right side may be missing; the key of the left one is not a key here as far as one can tell.
create view shop.v_manager as
select p.id, p.email, m.id as boss_id, m.company_id as boss_company_id, m.email as boss_email
  from shop.people p left join shop.people m on m.id = p.manager_id;
create view shop.v_full as
select c.id, o.number from shop.companies c full join shop.orders o on o.company_id = c.id;
-- (company_id, number) of two different rows reference nothing together.
create view shop.v_pair as
select a.company_id, b.number, a.buyer_id
  from shop.orders a join shop.orders b on b.company_id <> a.company_id;
create view shop.v_company_total as
select company_id, count(*) as orders, sum(total) as total from shop.orders group by company_id;
create view shop.v_cube as
select company_id, status, count(*) as n from shop.orders group by cube (company_id, status);
create view shop.v_union as
select id, name from shop.companies union all select id, name from shop.companies;
create view shop.v_exploded as
select company_id, number, unnest(tags) as tag from shop.orders;
create view shop.v_sub as
select s.id, s.company_id from (select p.id, p.company_id from shop.people p limit 10) s;
-- A name made to look like a query tree.
create view shop.v_odd as
select name as ":resorigtbl 1 :resorigcol 1} {TARGETENTRY", id as ":targetList" from shop.companies;
create materialized view shop.mv_company_count as
select company_id, count(*) as orders from shop.orders group by company_id;
create unique index on shop.mv_company_count (company_id);
create view shop.v_invoker with (security_invoker = on) as select id, name from shop.companies;

-- Many to many: through a view, with itself, twice; and what only looks like it.
create table shop.tags (id int primary key, word text not null);
create table shop.order_tags (
    company_id uuid, number int, tag_id int references shop.tags, weight real,
    primary key (company_id, number, tag_id),
    foreign key (company_id, number) references shop.orders
);
create table shop.followings (
    id bigint generated always as identity primary key,
    follower_id bigint references shop.people,
    followee_id bigint references shop.people,
    unique (follower_id, followee_id)
);
create table shop.tag_votes (person_id bigint references shop.people, tag_id int references shop.tags,
                             primary key (person_id, tag_id));
create table shop.tag_bans (person_id bigint references shop.people, tag_id int references shop.tags,
                            unique (tag_id, person_id));
create table shop.tag_views (person_id bigint references shop.people, tag_id int references shop.tags, at date,
                             primary key (person_id, tag_id, at));
create table shop.tag_owners (person_id bigint not null references shop.people, tag_id int primary key references shop.tags,
                              unique (person_id, tag_id));
create table shop.tag_secrets (person_id bigint references shop.people, tag_id int references shop.tags,
                               primary key (person_id, tag_id));
create view shop.v_tag as select * from shop.tags;
create view shop.v_order_tag as select company_id, number, tag_id, weight from shop.order_tags;
create view shop.v_following as select * from shop.followings;
create view shop.v_tag_vote as select * from shop.tag_votes;
create view shop.v_tag_ban as select * from shop.tag_bans;
create view shop.v_tag_view as select * from shop.tag_views;
create view shop.v_tag_owner as select * from shop.tag_owners;

-- What mutations are made of.
create domain shop.positive as int check (value > 0);
create type shop.range_of_days as range (subtype = date);
create function shop.fn_place_order(auth_user_id bigint, company_id uuid, "Total" numeric, status shop.order_status,
                                    amount shop.positive default 1, tags text[] default '{}', doc jsonb default null,
                                    auth_tenant_id uuid default null)
    returns shop.v_order language sql volatile as 'select null::shop.v_order';
comment on function shop.fn_place_order is $$Places an order.
@deprecated use another
@fraiseql:mutation
name: placeOrder$$;
create function shop.fn_close_orders(before date, during shop.range_of_days default null) returns setof shop.v_order
    language sql volatile as 'select * from shop.v_order';
create function shop.fn_count_events() returns bigint language sql volatile as 'select 1::bigint';
create function shop.fn_tags() returns shop.order_status[] language sql volatile as 'select null::shop.order_status[]';
create function shop.fn_clean_up(code char(3)) returns void language sql volatile as '';
create function shop.fn_total(company_id uuid) returns shop.v_company_total
    language sql volatile as 'select null::shop.v_company_total';
create function shop.fn_variadic(variadic items int[]) returns int language sql volatile as 'select 1';
create function shop.fn_out(a int, out b int) language sql volatile as 'select 1';
create function shop.fn_rows() returns table (a int, "b C" int[]) language sql volatile as 'select 1, null::int[]';
create function shop.fn_set() returns setof int language sql volatile as 'select 1';
-- Fields of the query root.
create function shop.fn_stable(auth_user_id bigint, optional int default 1) returns int language sql stable as 'select 1';
create function shop.fn_orders_before(before date, max int default 1) returns setof shop.v_order
    language sql stable security definer as 'select * from shop.v_order';
create function shop.fn_newest() returns shop.v_order language sql stable as 'select null::shop.v_order';
create function shop.fn_levels(a int) returns setof shop.order_status language sql immutable as 'select null::shop.order_status';
create function shop.fn_extent(inout a int, out date, out last date) language sql stable as 'select 1, null::date, null::date';
-- Fields of types: by the relation's name or its stem in front, or without; told apart by their rows.
create function shop.fn_v_order_code("order" shop.v_order, width int, pad text default ' ') returns text
    language sql immutable as 'select ''x''';
create function shop.fn_order_next(shop.v_order) returns shop.v_order language sql stable as 'select null::shop.v_order';
create function shop.fn_before("order" shop.v_order, auth_user_id bigint) returns setof shop.v_order
    language sql stable as 'select null::shop.v_order';
create function shop.fn_sums("order" shop.v_order, variadic of text[]) returns table (name text, total numeric)
    language sql stable as 'select null, null::numeric';
create function shop.fn_code(total shop.v_company_total) returns text language sql stable as 'select ''x''';
create function shop.fn_code(invoker shop.v_invoker) returns text language sql stable as 'select ''x''';
create function shop.fn_code(a int, b int) returns text language sql stable as 'select ''x''';
-- Not these:
create function shop.fn_order(id int) returns int language sql stable as 'select 1';
create function shop.fn_order_number("order" shop.v_order) returns int language sql stable as 'select 1';
create function shop.fn_order_nothing("order" shop.v_order) returns void language sql stable as '';
create function shop.fn_order_where("order" shop.v_order, "where" int) returns setof shop.v_order
    language sql stable as 'select null::shop.v_order';
create function shop.fn_person(person shop.people) returns int language sql stable as 'select 1';
create function shop.fn_volatile_row("order" shop.v_order) returns int language sql volatile as 'select 1';
create function shop.fn_lists() returns setof int[] language sql stable as 'select null::int[]';
create function shop.fn_same_result(out a_b int, out "aB" int) language sql stable as 'select 1, 1';
create function shop.fn_odd_result(out "Ω" int, out b int) language sql stable as 'select 1, 1';
create function shop.fn_out_row(out a shop.companies, out b int) language sql stable as 'select null::shop.companies, 1';
create function shop.fn_variadic_default(a int, variadic items int[] default '{}') returns int language sql volatile as 'select 1';
create function shop.fn_unnamed(int) returns int language sql volatile as 'select 1';
create function shop.fn_composite(a shop.companies) returns int language sql volatile as 'select 1';
create function shop.fn_anything(a anyelement) returns int language sql volatile as 'select 1';
create function shop.fn_table_row() returns shop.companies language sql volatile as 'select null::shop.companies';
create function shop.fn_record() returns record language sql volatile as 'select 1, 2';
create function shop.fn_claim(auth_shoe_size int) returns int language sql volatile as 'select 1';
create function shop.fn_same_argument(a_b int, "aB" int) returns int language sql volatile as 'select 1';
create function shop.fn_over(a int) returns int language sql volatile as 'select 1';
create function shop.fn_over(a int, b int default 1) returns int language sql stable as 'select 1';
create function shop.fn_twice_named() returns int language sql volatile as 'select 1';
create function shop."fn_twiceNamed"() returns int language sql volatile as 'select 1';
create function shop."fn_Ω"() returns int language sql volatile as 'select 1';
create procedure shop.fn_procedure() language sql as '';
-- Nor, and without a word, these:
create function shop.fn_trigger() returns trigger language plpgsql as 'begin return new; end';
create aggregate shop.fn_aggregate(int) (sfunc = int4pl, stype = int);
create function shop.fn_left_out() returns int language sql volatile as 'select 1';
create function shop.fn_denied() returns int language sql volatile as 'select 1';
revoke execute on function shop.fn_denied from public;
create function shop.other() returns int language sql volatile as 'select 1';

grant select on all tables in schema shop to shop_user;
revoke all on shop.secrets, shop.people from shop_user;
grant select (id, company_id, manager_id, email) on shop.people to shop_user;
revoke select on shop.v_odd from shop_user;
grant select (":targetList") on shop.v_odd to shop_user;
reset role;
