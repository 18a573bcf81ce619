/* SPDX-License-Identifier: MIT */
#include "abi/call.h"
