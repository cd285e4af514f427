/*
 * banned.h - functions nobody may call (STYLE: section 5). Included by base.h.
 *
 * System headers must come before project headers in every file, or these
 * poisoned names would break the system's own declarations.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#undef alloca

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi localtime
#pragma GCC poison gmtime longjmp alloca

#ifndef BASE_MAY_ALLOCATE
#pragma GCC poison malloc calloc realloc
#endif

#endif
