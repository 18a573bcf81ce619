/* SPDX-License-Identifier: BSD-2-Clause */
/* mark NUMBER: a mark (lab/mark.h) from a script, 1 to 7. */
#include <stdio.h>
#include <stdlib.h>

#include "mark.h"

int main(int argc, char *argv[])
{
    switch ( argc == 2 ? atoi(argv[1]) : 0 )
    {
    case 1:
        MARK(1);
        return 0;

    case 2:
        MARK(2);
        return 0;

    case 3:
        MARK(3);
        return 0;

    case 4:
        MARK(4);
        return 0;

    case 5:
        MARK(5);
        return 0;

    case 6:
        MARK(6);
        return 0;

    case 7:
        MARK(7);
        return 0;
    }
    fprintf(stderr, "usage: mark 1..7\n");
    return 2;
}
