/*
 * reference.c - the table of options as a page for people (docs/configuration.md).
 *
 * Thread:   any.
 * Memory:   none kept.
 * Not here: the sample file (show.c).
 */
#include "config/settings.h"

static const char introduction[] =
    "# Configuration reference\n"
    "\n"
    "Every key, as `fraiseqld config reference` prints it; what the keys mean together stands in\n"
    "[operations.md](operations.md). `fraiseqld config explain KEY` tells about one of them,\n"
    "`fraiseqld config schema` prints a JSON Schema for editors and CI.\n"
    "\n"
    "Values come from, later ones over earlier ones: the defaults; the file (`-c FILE`, else\n"
    "`$FRAISEQLD_CONFIG`, else `/etc/fraiseqld/fraiseqld.yaml`); the files `conf.d/*.yaml` beside\n"
    "it, in the order of their names, where maps grow together and lists replace lists; variables\n"
    "such as `FRAISEQLD_DATABASE__POOL__MAX` for `database.pool.max`; `--set key=value`. Values "
    "may\n"
    "hold `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `${file:/path}`; `$$` stands for "
    "`$`.\n"
    "`*` in a key is a name of your own, `[]` an item of a list.\n"
    "\n"
    "**secret**: never shown; the key with `_file` behind it names a file that holds the value.\n"
    "A relative name is looked for in `$CREDENTIALS_DIRECTORY` first.\n"
    "\n"
    "**Reload**: *live* keys take effect at a reload (SIGHUP, or `reload.watch`); for the others\n"
    "the log names the keys that wait for a restart.\n";

/* A bar would end the cell. */
static void write_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i] == '\n' ? ' ' : text.data[i]);
    }
}

static void write_code(struct buf *out, struct str text)
{
    buf_append_char(out, '`');
    write_cell(out, text);
    buf_append_char(out, '`');
}

static void write_row(struct buf *out, const struct config_option *o)
{
    struct buf type = {0};

    option_describe(o, &type);
    buf_append_lit(out, "| ");
    write_code(out, str_of(o->key));
    buf_append_lit(out, " | ");
    if (o->fallback != NULL && o->fallback[0] != '\0')
        write_code(out, str_of(o->fallback));
    buf_printf(out, " | %s | ", o->live ? "live" : "restart");
    write_cell(out, buf_str(&type));
    buf_append_str(out, o->secret ? STR("; **secret**. ") : STR(". "));
    write_cell(out, str_of(o->help));
    buf_append_lit(out, " |\n");
    buf_fini(&type);
}

static struct str first_part(const struct config_option *o)
{
    return str_sub(str_of(o->key), 0, str_find(str_of(o->key), '.'));
}

/* A section for the first name of keys, in the table's order. */
void config_reference(struct buf *out)
{
    buf_append_str(out, str_of(introduction));
    for (size_t i = 0; i < options_count; i++) {
        struct str section = first_part(&options_table[i]);

        if (i == 0 || !str_eq(section, first_part(&options_table[i - 1]))) {
            buf_printf(out, "\n## %.*s\n\n", STR_ARG(section));
            buf_append_lit(out, "| Key | Default | Reload | Meaning |\n|---|---|---|---|\n");
        }
        write_row(out, &options_table[i]);
    }
}
