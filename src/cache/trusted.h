/*
 * trusted.h - the documents that an application was built with: manifests, and files of documents.
 *
 * Thread:   any; constant once made.
 * Memory:   an arena of its own.
 */
#ifndef CACHE_TRUSTED_H
#define CACHE_TRUSTED_H

#include "base/digest.h"
#include "base/error.h"

struct trusted;

/*
 * Files: Apollo's manifests (format "apollo-persisted-query-manifest", version 1) and Relay's, an
 * object from ids to texts. directory: its files *.graphql and *.gql, and those of the directories
 * in it, known by their hash; NULL: none. What begins with a dot is left out, unless a link leads
 * there; links out of the directory are refused. NULL with CONFIG_INVALID errors that name the
 * file: cannot be read, no manifest, one id for two texts.
 */
struct trusted *trusted_new(const struct str *files, size_t nfiles, const char *directory,
                            size_t max_bytes, struct errors *errs);
void trusted_free(struct trusted *t); /* NULL is allowed */
/* The text of an id: a manifest's, or "sha256:" and the hash, or the hash alone. data NULL: there
 * is none. */
struct str trusted_by_id(const struct trusted *t, struct str id);
struct str trusted_by_hash(const struct trusted *t, const struct digest *hash);
size_t trusted_count(const struct trusted *t);

#endif
