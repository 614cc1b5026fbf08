package org.fermobile.gallery.benchmark

import android.content.Context
import org.fermobile.core.InputException
import org.fermobile.core.Pipeline
import org.fermobile.core.Stage
import org.fermobile.fer.photoSource
import org.fermobile.gallery.app
import org.fermobile.gallery.logic.BenchmarkResult
import org.fermobile.gallery.logic.ColdStart
import org.fermobile.gallery.logic.PhotoSet
import org.fermobile.gallery.logic.Timings
import org.fermobile.gallery.logic.photoSetChecksum
import org.fermobile.gallery.logic.runBenchmark
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import java.util.TimeZone

/** Times the pipeline over the photos that the app brings along. */
class BenchmarkRunner(private val context: Context) {
    private val app = context.app

    /** The bundled photos by their names. */
    val photos: List<String> by lazy {
        context.assets.list(FOLDER).orEmpty().filter { it.substringAfterLast('.') in SUFFIXES }.sorted()
    }

    /**
     * Runs a benchmark; the engine does nothing else meanwhile.
     *
     * @param progress called after every timed pass with the passes done; what it throws ends the run.
     * @throws InputException for a model or photos that cannot be used.
     */
    suspend fun run(request: BenchmarkRequest, progress: (Int) -> Unit): BenchmarkResult {
        val date = now()
        val thermometer = Thermometer(context).apply { look() }
        val fresh = !app.engine.used
        val settings = app.settings.settings.value.copy(
            model = request.model ?: app.settings.settings.value.model,
            threads = request.settings.threads,
            gpu = false, // the schema of results has no place for it
        )
        return app.engine.useFresh(settings) { load ->
            val start = app.engine.clock()
            val pipeline = load()
            val modelLoad = (app.engine.clock() - start) / 1e6
            val timings = time(pipeline, request.settings.repetitions) {
                thermometer.look()
                progress(it)
            }
            BenchmarkResult(
                date = date,
                model = pipeline.classifier.file,
                photos = PhotoSet(NAME, photoSetChecksum(photos.associateWith(::bytes))),
                settings = request.settings,
                timings = timings,
                coldStart = if (fresh) coldStart(modelLoad, timings) else null,
                peakMemoryMb = peakMemoryMb(),
                hardware = hardwareOf(context, thermometer.state),
                software = softwareOf(context),
            )
        }
    }

    private fun time(pipeline: Pipeline, repetitions: Int, progress: (Int) -> Unit): Timings {
        val sources = photos.map { name -> photoSource { context.assets.open("$FOLDER/$name") } }
        return runBenchmark(pipeline, sources, repetitions, progress)
    }

    private fun coldStart(modelLoad: Double, timings: Timings) = ColdStart(
        process = app.processStartMs?.toDouble(),
        modelLoad = modelLoad,
        firstInference = timings.first.stages[Stage.CLASSIFY],
        firstPhoto = timings.first.stages.getValue(Stage.TOTAL),
    )

    private fun bytes(name: String): ByteArray = context.assets.open("$FOLDER/$name").use { it.readBytes() }

    companion object {
        private const val NAME = "affective-25"
        private const val FOLDER = "photos/$NAME"
        private val SUFFIXES = setOf("jpg", "png")
    }
}

private fun now(): String =
    SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss'+00:00'", Locale.ROOT)
        .apply { timeZone = TimeZone.getTimeZone("UTC") }
        .format(Date())
