/* What Android's C library has and glibc lacks, or has in another form. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int *__errno(void) { return __errno_location(); }

size_t __strlen_chk(const char *text, size_t size) {
    (void)size;
    return strlen(text);
}

/* The library turns XNNPACK on only where Android is newer than version 19. */
int __system_property_get(const char *name, char *value) {
    strcpy(value, strcmp(name, "ro.build.version.sdk") ? "" : "34");
    return (int)strlen(value);
}

void android_set_abort_message(const char *message) {
    fprintf(stderr, "abort: %s\n", message ? message : "");
}

/* Android's log is silent here but for warnings (5) and worse. */
int __android_log_vprint(int priority, const char *tag, const char *format, va_list arguments) {
    if (priority < 5) return 0;
    fprintf(stderr, "%s: ", tag ? tag : "");
    int length = vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    return length;
}

int __android_log_print(int priority, const char *tag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = __android_log_vprint(priority, tag, format, arguments);
    va_end(arguments);
    return length;
}

/* bionic's stdin, stdout and stderr are the elements of this array of 152-byte structures. */
enum { BIONIC_FILE = 152 };
char __sF[3 * BIONIC_FILE];

static FILE *host_file(void *file) {
    FILE *standard[] = {stdin, stdout, stderr};
    ptrdiff_t place = (char *)file - __sF;
    return place >= 0 && place < (ptrdiff_t)sizeof __sF ? standard[place / BIONIC_FILE] : file;
}

int VFPRintf(void *file, const char *format, va_list arguments) {
    return vfprintf(host_file(file), format, arguments);
}

int FPRintf(void *file, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = VFPRintf(file, format, arguments);
    va_end(arguments);
    return length;
}

int FPUtc(int character, void *file) { return fputc(character, host_file(file)); }

int FFLush(void *file) { return fflush(file ? host_file(file) : NULL); }

int FILEno(void *file) { return fileno(host_file(file)); }

size_t FWRite(const void *data, size_t size, size_t count, void *file) {
    return fwrite(data, size, count, host_file(file));
}

/* bionic's is the POSIX one, glibc's of this name is not. */
int __xpg_strerror_r(int error, char *text, size_t size);

int STRerror_r(int error, char *text, size_t size) { return __xpg_strerror_r(error, text, size); }

/* The same questions have other numbers. */
long SYSconf(int name) {
    switch (name) {
        case 39:
        case 40: return sysconf(_SC_PAGESIZE);
        case 96: return sysconf(_SC_NPROCESSORS_CONF);
        case 97: return sysconf(_SC_NPROCESSORS_ONLN);
        case 98: return sysconf(_SC_PHYS_PAGES);
        case 99: return sysconf(_SC_AVPHYS_PAGES);
    }
    errno = EINVAL;
    return -1;
}

#ifdef __aarch64__
/* glibc's mutex has 48 bytes and bionic's 40: only those that are there are set. */
int PTHread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    memset(mutex, 0, 40);
    if (attributes) memcpy((char *)mutex + 16, attributes, 4);
    return 0;
}
#endif
