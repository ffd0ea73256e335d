/* Which names the shared library exports, what a program compiles for itself, and C linkage for C++. */
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
