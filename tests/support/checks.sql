-- What the tests in tests/sql state their sentences with. Include it after begin, before roles change:
--
--     \ir ../support/checks.sql
--
-- A sentence that is not true raises an exception, which ends psql with a status of 3.

\set ON_ERROR_STOP on

create schema checks;
grant usage on schema checks to public;

create function checks.is(got anyelement, expected anyelement, sentence text) returns void
    language plpgsql volatile
as $$
begin
    if got is distinct from expected then
        raise exception 'not true: %', sentence using detail = format('got %s, expected %s', got, expected);
    end if;
end
$$;

-- The statement fails with this SQLSTATE; what it did is undone.
create function checks.fails(statement text, state text, sentence text) returns void
    language plpgsql volatile
as $$
begin
    begin
        execute statement;
    exception
        when others then
            if sqlstate = state then
                return;
            end if;
            raise exception 'not true: %', sentence using detail = format('%s: %s', sqlstate, sqlerrm);
    end;
    raise exception 'not true: %', sentence using detail = 'it succeeded';
end
$$;
