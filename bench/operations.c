/*
 * operations.c - the benchmark's operations: their share of the mix and their SQL.
 *
 * Thread:   constant.
 * Memory:   constant.
 * Not here: the GraphQL documents (operations/NAME.graphql), the views and functions (data.sql).
 *
 * Two forms of SQL for one answer. `json_sql` makes the whole answer in PostgreSQL, as a thin
 * server would have it; `column_sql` gives typed columns, lists as record[], which the reader has
 * to encode. Both limit a list below the join that fetches its to-one rows.
 */
#include "common.h"

const char *const created_description =
    "Made by the benchmark; it says about as much as the tasks that were there before. Steps to "
    "repeat: open the page, sort by date, wait. Expected: the rows in the order of the column. "
    "Seen: the order of the first page only.";

const char *const context_sql =
    "select set_config('app.current_tenant_id', $1, true), set_config('role', 'app_user', true), "
    "set_config('statement_timeout', $2, true)";

/* The page of projects, and the tasks of project p with their assignees. */
#define PROJECT_PAGE                                                                     \
    " from (select * from public.v_project order by updated_at desc, id limit 20) as p " \
    "left join public.v_user as o on o.id = p.owner_id "
#define TASK_PAGE                                                                              \
    " from (select * from public.v_task where project_id = p.id order by created_at desc, id " \
    "limit 10) as t left join public.v_user as u on u.id = t.assignee_id "

/* clang-format off */
const struct operation operations[OPERATION_COUNT] = {
    {"q1u", 15, false, "u",
     "select row_to_json(x)::text from (select id, email, name, role, active, "
     "created_at as \"createdAt\", last_login_at as \"lastLoginAt\" from public.v_user where id = $1) as x",
     "select id, email, name, role, active, created_at, last_login_at from public.v_user where id = $1",
     "{\"data\":{\"user\":{"},
    {"q1p", 15, false, "p",
     "select row_to_json(x)::text from (select id, name, description, status, budget::text, "
     "due_on as \"dueOn\", created_at as \"createdAt\", updated_at as \"updatedAt\" "
     "from public.v_project where id = $1) as x",
     "select id, name, description, status, budget::text, due_on, created_at, updated_at "
     "from public.v_project where id = $1",
     "{\"data\":{\"project\":{"},
    {"q2", 20, false, "a",
     "select coalesce(json_agg(x), '[]')::text from (select id, name, status, budget::text, "
     "due_on as \"dueOn\", updated_at as \"updatedAt\" from public.v_project where status = $1 "
     "order by updated_at desc, id limit 20) as x",
     "select id, name, status, budget::text, due_on, updated_at from public.v_project "
     "where status = $1 order by updated_at desc, id limit 20",
     "{\"data\":{\"projects\":["},
    {"q3", 10, false, "",
     "select coalesce(json_agg(x), '[]')::text from (select p.id, p.name, p.status, "
     "p.updated_at as \"updatedAt\", json_build_object('id', o.id, 'name', o.name, 'email', o.email) as owner, "
     "(select coalesce(json_agg(y), '[]') from (select t.id, t.title, t.status, t.priority, "
     "t.due_on as \"dueOn\", t.created_at as \"createdAt\", "
     "case when u.id is not null then json_build_object('id', u.id, 'name', u.name) end as assignee"
     TASK_PAGE "order by t.created_at desc, t.id) as y) as tasks"
     PROJECT_PAGE "order by p.updated_at desc, p.id) as x",
     "select p.id, p.name, p.status, p.updated_at, o.id, o.name, o.email, "
     "array(select row(t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id, u.name)"
     TASK_PAGE "order by t.created_at desc, t.id)"
     PROJECT_PAGE "order by p.updated_at desc, p.id",
     "{\"data\":{\"projects\":["},
    {"q4", 10, false, "",
     "select coalesce(json_agg(x), '[]')::text from (select tenant_id as \"tenantId\", "
     "project_count::text as \"projectCount\", total_tasks::text as \"totalTasks\", "
     "done_tasks::text as \"doneTasks\", total_budget::text as \"totalBudget\", "
     "last_update as \"lastUpdate\" from public.v_tenant_project_summary limit 1) as x",
     "select tenant_id, project_count, total_tasks, done_tasks, total_budget::text, last_update "
     "from public.v_tenant_project_summary limit 1",
     "{\"data\":{\"tenantProjectSummaries\":[{"},
    {"q5", 8, false, "o",
     "select coalesce(json_agg(x), '[]')::text from (select id, project_id as \"projectId\", "
     "assignee_id as \"assigneeId\", title, description, status, priority, "
     "estimate_hours::text as \"estimateHours\", due_on as \"dueOn\", created_at as \"createdAt\", "
     "updated_at as \"updatedAt\", completed_at as \"completedAt\" from public.v_task where status = $1 "
     "order by updated_at desc, id limit 200) as x",
     "select id, project_id, assignee_id, title, description, status, priority, estimate_hours::text, "
     "due_on, created_at, updated_at, completed_at from public.v_task where status = $1 "
     "order by updated_at desc, id limit 200",
     "{\"data\":{\"tasks\":["},
    {"m1", 8, true, "ptdu",
     "select row_to_json(x)::text from (select id, title, status, created_at as \"createdAt\" "
     "from public.fn_create_task(project_id => $1, title => $2, description => $3, "
     "assignee_id => $4)) as x",
     "select id, title, status, created_at from public.fn_create_task(project_id => $1, title => $2, "
     "description => $3, assignee_id => $4)",
     "{\"data\":{\"createTask\":{"},
    {"m2", 14, true, "ks",
     "select row_to_json(x)::text from (select id, status, updated_at as \"updatedAt\" "
     "from public.fn_update_task_status(id => $1, status => $2)) as x",
     "select id, status, updated_at from public.fn_update_task_status(id => $1, status => $2)",
     "{\"data\":{\"updateTaskStatus\":{"},
};
/* clang-format on */
