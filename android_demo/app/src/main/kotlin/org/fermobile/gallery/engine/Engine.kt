package org.fermobile.gallery.engine

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.withContext
import org.fermobile.core.Classifier
import org.fermobile.core.Contract
import org.fermobile.core.ContractException
import org.fermobile.core.Pipeline
import org.fermobile.core.YuNet
import java.io.InputStream
import java.nio.ByteBuffer

/** The one owner of the interpreters: whatever uses them runs on its dispatcher, one after the other. */
class Engine(private val models: ModelStore) {
    @OptIn(ExperimentalCoroutinesApi::class)
    private val dispatcher = Dispatchers.Default.limitedParallelism(1)

    private var settings: EngineSettings? = null
    private var pipeline: Pipeline? = null

    /** Whether anything was loaded in this process. */
    @Volatile
    var used = false
        private set

    /**
     * Runs [block] with the pipeline of these settings, which is kept for the next call.
     *
     * @throws ContractException where the model cannot be used.
     */
    suspend fun <T> use(settings: EngineSettings, block: (Pipeline) -> T): T = withContext(dispatcher) {
        if (settings != this@Engine.settings) {
            pipeline?.close()
            pipeline = null
            this@Engine.settings = null
        }
        val ready = pipeline ?: load(settings).also {
            pipeline = it
            this@Engine.settings = settings
        }
        block(ready)
    }

    /**
     * Runs [block] with a pipeline of its own, loaded for it alone; nothing else runs meanwhile.
     *
     * @throws ContractException where the model cannot be used.
     */
    suspend fun <T> useFresh(settings: EngineSettings, block: (load: () -> Pipeline) -> T): T =
        withContext(dispatcher) {
            val loaded = mutableListOf<Pipeline>()
            try {
                block { load(settings).also(loaded::add) }
            } finally {
                loaded.forEach(Pipeline::close)
            }
        }

    /**
     * Takes in a model that can be used ([ModelStore.import]).
     *
     * @return its key.
     * @throws ContractException for one that can't.
     */
    suspend fun import(name: String, source: InputStream): String = withContext(dispatcher) {
        models.import(name, source) { content, file -> classifier(content, file, EngineSettings()).close() }
    }

    private fun load(settings: EngineSettings): Pipeline {
        used = true
        val key = settings.model ?: models.keys().first()
        val classifier = classifier(models.content(key), ModelStore.nameOf(key), settings)
        return Pipeline(classifier, YuNet(LiteRtModel(models.detector(), settings.threads, settings.xnnpack)))
    }

    private fun classifier(content: ByteBuffer, name: String, settings: EngineSettings): Classifier {
        val file = Contract.read(content, name)
        val model = try {
            LiteRtModel(content, settings.threads, settings.xnnpack)
        } catch (error: IllegalArgumentException) {
            throw ContractException(
                name, expected = "a model that this runtime can load",
                found = error.message.orEmpty().lines().first(), cause = error,
            )
        }
        return try {
            Classifier(file, model)
        } catch (error: ContractException) {
            model.close()
            throw error
        }
    }
}
