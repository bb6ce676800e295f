#ifndef JOSTLE_RT_H
#define JOSTLE_RT_H
/*
 * What the real-time loop may call.
 *
 * RT_SAFE stands before every function that the loop may call: it does arithmetic, atomics and copies; it does not
 * allocate, lock, block, or touch a file. The word has no effect on code; a test runs the loop with the allocator and
 * the locks intercepted.
 */
#define RT_SAFE

#endif
