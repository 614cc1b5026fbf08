/* run_model LIBRARY MODEL INPUT OUTPUT

   Runs a TensorFlow Lite model through LIBRARY's C interface, with XNNPACK and one thread, on every
   input tensor's worth of bytes in INPUT, and writes all outputs of each to OUTPUT. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* First of this program's thread-local data: bionic keeps its stack guard where this lies, and code
   compiled for it compares the place on entry and return, so it must not change in between. */
__thread volatile char stack_guard[256];

typedef struct {
    int threads;
    char others[1020];
} XnnpackOptions; /* larger than any version's: only the first field is set here */

static void fail(const char *what) {
    fprintf(stderr, "run_model: %s\n", what);
    exit(1);
}

static void *library;

static void *symbol(const char *name) {
    void *found = dlsym(library, name);
    if (!found) fail(name);
    return found;
}

#define FUNCTION(result, name, ...) result (*name)(__VA_ARGS__) = symbol(#name)

int main(int count, char **words) {
    stack_guard[0] = 0;
    if (count != 5) fail("expected LIBRARY MODEL INPUT OUTPUT");
    library = dlopen(words[1], RTLD_NOW);
    if (!library) fail(dlerror());
    FUNCTION(void *, TfLiteModelCreateFromFile, const char *);
    FUNCTION(void *, TfLiteInterpreterOptionsCreate, void);
    FUNCTION(void, TfLiteInterpreterOptionsSetNumThreads, void *, int);
    FUNCTION(void, TfLiteInterpreterOptionsAddDelegate, void *, void *);
    FUNCTION(XnnpackOptions, TfLiteXNNPackDelegateOptionsDefault, void);
    FUNCTION(void *, TfLiteXNNPackDelegateCreate, const void *);
    FUNCTION(void *, TfLiteInterpreterCreate, void *, void *);
    FUNCTION(int, TfLiteInterpreterAllocateTensors, void *);
    FUNCTION(int, TfLiteInterpreterInvoke, void *);
    FUNCTION(void *, TfLiteInterpreterGetInputTensor, void *, int);
    FUNCTION(int, TfLiteInterpreterGetOutputTensorCount, const void *);
    FUNCTION(const void *, TfLiteInterpreterGetOutputTensor, void *, int);
    FUNCTION(size_t, TfLiteTensorByteSize, const void *);
    FUNCTION(void *, TfLiteTensorData, const void *);

    void *options = TfLiteInterpreterOptionsCreate();
    TfLiteInterpreterOptionsSetNumThreads(options, 1);
    XnnpackOptions xnnpack = TfLiteXNNPackDelegateOptionsDefault();
    xnnpack.threads = 1;
    TfLiteInterpreterOptionsAddDelegate(options, TfLiteXNNPackDelegateCreate(&xnnpack));
    void *model = TfLiteModelCreateFromFile(words[2]);
    void *interpreter = model ? TfLiteInterpreterCreate(model, options) : NULL;
    if (!interpreter || TfLiteInterpreterAllocateTensors(interpreter)) fail("no interpreter");

    void *input = TfLiteInterpreterGetInputTensor(interpreter, 0);
    int outputs = TfLiteInterpreterGetOutputTensorCount(interpreter);
    size_t size = TfLiteTensorByteSize(input);
    FILE *from = fopen(words[3], "rb"), *to = fopen(words[4], "wb");
    if (!from || !to) fail("files");
    while (fread(TfLiteTensorData(input), 1, size, from) == size) {
        if (TfLiteInterpreterInvoke(interpreter)) fail("invoke");
        for (int index = 0; index < outputs; index++) {
            const void *output = TfLiteInterpreterGetOutputTensor(interpreter, index);
            fwrite(TfLiteTensorData(output), 1, TfLiteTensorByteSize(output), to);
        }
    }
    return fclose(to) ? 1 : 0;
}
