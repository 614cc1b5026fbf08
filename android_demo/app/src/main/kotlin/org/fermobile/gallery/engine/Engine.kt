package org.fermobile.gallery.engine

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.withContext
import org.fermobile.core.Classifier
import org.fermobile.core.Contract
import org.fermobile.core.ContractException
import org.fermobile.core.GrayImage
import org.fermobile.core.InterpreterException
import org.fermobile.core.Pipeline
import org.fermobile.core.TensorModel
import org.fermobile.core.YuNet
import org.fermobile.core.sha256
import java.io.InputStream
import java.nio.ByteBuffer
import kotlin.math.abs

/**
 * The one owner of the interpreters: whatever uses them runs on its dispatcher, one after the other.
 *
 * @param open makes an interpreter of a file's bytes; as [LiteRtModel] it may throw what a broken
 *   library, file or graph gives.
 * @param clock nanoseconds, by which pipelines time their stages.
 */
class Engine(
    private val models: ModelStore,
    private val open: (ByteBuffer, EngineSettings) -> TensorModel =
        { content, settings -> LiteRtModel(content, settings.threads, settings.xnnpack) },
    val clock: () -> Long = System::nanoTime,
) {
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
     * @throws InterpreterException where no model can.
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
     * @throws InterpreterException where no model can.
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
     * Takes in a model that can be used ([ModelStore.import]), which it shows on a face.
     *
     * @throws ContractException for one that can't.
     * @throws InterpreterException where no model can.
     */
    suspend fun import(name: String, source: InputStream): ModelEntry = withContext(dispatcher) {
        models.import(name, source) { content, file ->
            classifier(content, file, EngineSettings()).use { tryOut(it) }
        }
    }

    private fun load(settings: EngineSettings): Pipeline {
        used = true
        val key = settings.model ?: models.keys().first()
        val classifier = classifier(models.content(key), ModelStore.nameOf(key), settings)
        val detector = models.detector()
        val yunet = YuNet(interpreter(detector, "face detector", settings), sha256(detector))
        return Pipeline(classifier, yunet, clock, settings.orient)
    }

    private fun classifier(content: ByteBuffer, name: String, settings: EngineSettings): Classifier {
        val file = Contract.read(content, name)
        val model = interpreter(content, name, settings)
        return try {
            Classifier(file, model)
        } catch (error: ContractException) {
            model.close()
            throw error
        }
    }

    /** A graph may load and still fail to run, or give no probabilities. */
    private fun tryOut(classifier: Classifier) {
        val size = classifier.size
        val sum = running(classifier.file.name) {
            classifier.classify(GrayImage(size, size, ByteArray(size * size) { it.toByte() })).sum()
        }
        if (!(abs(sum - 1) < MOST_OFF)) {
            throw ContractException(classifier.file.name, expected = "probabilities that sum to 1", found = "a sum of $sum")
        }
    }

    private fun interpreter(content: ByteBuffer, name: String, settings: EngineSettings): TensorModel =
        running(name) { open(content, settings) }

    private inline fun <T> running(name: String, work: () -> T): T = try {
        work()
    } catch (error: LinkageError) { // a symbol is missing, or there is no library for the processor
        throw InterpreterException(
            "TensorFlow Lite", expected = "a library that this phone can load", found = lines(error, 2), cause = error,
        )
    } catch (error: IllegalArgumentException) { // no model, or operations that are newer
        throw cannotRun(name, error)
    } catch (error: IllegalStateException) { // a graph that does not fit together
        throw cannotRun(name, error)
    }

    private fun cannotRun(name: String, error: Exception) = ContractException(
        name, expected = "a model that this runtime can run", found = lines(error, 1), cause = error,
    )

    private fun lines(error: Throwable, most: Int) =
        error.message.orEmpty().lines().map(String::trim).filter(String::isNotEmpty).take(most).joinToString(" ")

    private companion object {
        /** Rounding of an int8 output: half a level for each of eight labels, and more. */
        const val MOST_OFF = 0.05f
    }
}
