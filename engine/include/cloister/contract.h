/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for contracts: what a function asks of its caller, what it may change
 * and what it promises, in C, at a declaration of it that only CBMC sees
 * (NAME_contract.h, included at the end of NAME.h).
 */
#ifndef CLOISTER_CONTRACT_H
#define CLOISTER_CONTRACT_H

#define CL_REQUIRES(...) __CPROVER_requires(__VA_ARGS__)
#define CL_ENSURES(...)  __CPROVER_ensures(__VA_ARGS__)
#define CL_ASSIGNS(...)  __CPROVER_assigns(__VA_ARGS__)
#define CL_RESULT        __CPROVER_return_value
#define CL_OLD(x)        __CPROVER_old(x)
#define CL_SAME(x)       ((x) == CL_OLD(x))

/* An object of its own, or `n` bytes of memory of their own. */
#define CL_OBJECT(p)     __CPROVER_is_fresh(p, sizeof(*(p)))
#define CL_BYTES(p, n)   __CPROVER_is_fresh(p, n)
#define CL_WHOLE(p)      __CPROVER_object_whole(p)

/* Any one of the n bytes at p: as good as all, as nothing is known of it. */
extern unsigned int cl_any;
#define CL_ANY(p, n)     (((const unsigned char *)(p))[cl_any % (n)])

#endif /* CLOISTER_CONTRACT_H */
