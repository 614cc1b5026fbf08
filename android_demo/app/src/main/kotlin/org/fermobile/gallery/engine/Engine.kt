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
import org.fermobile.fer.openClassifier
import org.fermobile.fer.openYuNet
import org.fermobile.fer.tryOut
import java.io.InputStream

/**
 * The one owner of the models in use: whatever needs them comes here, one after the other.
 *
 * @param accelerator what computes their networks.
 * @param clock nanoseconds, by which pipelines time their stages.
 */
class Engine(
    private val models: ModelStore,
    private val photos: ContentResolver,
    private val accelerator: (EngineSettings) -> Accelerator = { Cpu(it.xnnpack) },
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
        val ready = fer ?: Fer(load(settings), photos).also {
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
            block { load(settings).also(loaded::add) }
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

    private fun load(settings: EngineSettings): Pipeline {
        used = true
        val key = settings.model ?: models.keys().first()
        val chosen = accelerator(settings)
        val loaded = openClassifier(models.content(key), ModelStore.nameOf(key), chosen, settings.threads)
        return Pipeline(loaded.classifier, openYuNet(models.detector(), chosen, settings.threads), clock, settings.orient)
    }
}
