/* What the other headers need for their declarations: CNN_API marks what the shared library exports, CNN_INLINE a
 * function that is compiled into the program, and CNN_BEGIN_DECLS and CNN_END_DECLS give declarations C linkage in C++.
 */
#ifndef CNN_EXPORT_H
#define CNN_EXPORT_H

#if defined(__GNUC__) || defined(__clang__)
#define CNN_API __attribute__((visibility("default")))
#else
#define CNN_API
#endif

#ifdef __cplusplus
#define CNN_INLINE inline
#define CNN_BEGIN_DECLS extern "C" {
#define CNN_END_DECLS }
#else
#define CNN_INLINE static inline
#define CNN_BEGIN_DECLS
#define CNN_END_DECLS
#endif

#endif
