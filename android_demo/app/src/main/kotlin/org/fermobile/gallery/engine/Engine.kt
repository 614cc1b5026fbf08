package org.fermobile.gallery.engine

import android.content.ContentResolver
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import org.fermobile.core.ContractException
import org.fermobile.core.InterpreterException
import org.fermobile.core.Pipeline
import org.fermobile.fer.Accelerator
import org.fermobile.fer.Cpu
import org.fermobile.fer.Fer
import org.fermobile.fer.Gpu
import org.fermobile.fer.openClassifier
import org.fermobile.fer.openYuNet
import org.fermobile.fer.tryOut
import org.tensorflow.lite.Delegate
import java.io.InputStream
import java.lang.reflect.InvocationTargetException

/**
 * The one owner of the models in use: whatever needs them comes here, one after the other.
 *
 * @param accelerator what computes the classifier; the detector runs on the CPU.
 * @param clock nanoseconds, by which pipelines time their stages.
 */
class Engine(
    private val models: ModelStore,
    private val photos: ContentResolver,
    private val accelerator: (EngineSettings) -> Accelerator = ::acceleratorOf,
    val clock: () -> Long = System::nanoTime,
) {
    private val mutex = Mutex()
    private var settings: EngineSettings? = null
    private var fer: Fer? = null

    /** Whether anything was loaded in this process. */
    @Volatile
    var used = false
        private set

    /**
     * Runs [block] with what these settings make, which is kept for the next call.
     *
     * @throws ContractException where the model cannot be used.
     * @throws InterpreterException where no model can.
     */
    suspend fun <T> use(settings: EngineSettings, block: suspend (Fer) -> T): T = alone {
        if (settings != this.settings) {
            fer?.close()
            fer = null
            this.settings = null
        }
        val ready = fer ?: load(settings).let { Fer(it.pipeline, photos, it.accelerator, it.fallback) }.also {
            fer = it
            this.settings = settings
        }
        block(ready)
    }

    /**
     * Runs [block] with a pipeline of its own, loaded for it alone; nothing else runs meanwhile.
     *
     * @throws ContractException where the model cannot be used.
     * @throws InterpreterException where no model can.
     */
    suspend fun <T> useFresh(settings: EngineSettings, block: (load: () -> Pipeline) -> T): T = alone {
        val loaded = mutableListOf<Pipeline>()
        try {
            block { load(settings).pipeline.also(loaded::add) }
        } finally {
            loaded.forEach(Pipeline::close)
        }
    }

    /**
     * Takes in a model that can be used ([ModelStore.import]), which it shows the reference faces.
     *
     * @throws ContractException for one that can't.
     * @throws InterpreterException where no model can.
     */
    suspend fun import(name: String, source: InputStream): ModelEntry = alone {
        models.import(name, source) { content, file ->
            openClassifier(content, file, accelerator(EngineSettings())).classifier.use {
                it.tryOut()
                it.tryOut(models.referenceFaces())
            }
        }
    }

    private suspend fun <T> alone(work: suspend () -> T): T =
        withContext(Dispatchers.Default) { mutex.withLock { work() } }

    private class Loaded(val pipeline: Pipeline, val accelerator: String, val fallback: String?)

    private fun load(settings: EngineSettings): Loaded {
        used = true
        val key = settings.model ?: models.keys().first()
        val loaded = openClassifier(models.content(key), ModelStore.nameOf(key), accelerator(settings), settings.threads)
        val detector = openYuNet(models.detector(), Cpu(settings.xnnpack), settings.threads)
        return Loaded(Pipeline(loaded.classifier, detector, clock, settings.orient), loaded.accelerator, loaded.fallback)
    }
}

private fun acceleratorOf(settings: EngineSettings): Accelerator =
    if (settings.gpu) Gpu(::gpuDelegate) else Cpu(settings.xnnpack)

/** LiteRT's delegate, by its name: the offline build has no artifact of it. */
private fun gpuDelegate(): Delegate = try {
    Class.forName("org.tensorflow.lite.gpu.GpuDelegate").getDeclaredConstructor().newInstance() as Delegate
} catch (error: ClassNotFoundException) {
    throw UnsupportedOperationException("no GPU delegate in this build of the app", error)
} catch (error: InvocationTargetException) {
    throw error.cause ?: error
}
