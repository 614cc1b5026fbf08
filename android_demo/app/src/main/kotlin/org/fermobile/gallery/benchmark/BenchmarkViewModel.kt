package org.fermobile.gallery.benchmark

import android.app.Application
import android.content.Intent
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.fermobile.core.InputException
import org.fermobile.gallery.app
import org.fermobile.gallery.logic.BenchmarkResult
import java.io.IOException

/**
 * All that the benchmark's screen shows.
 *
 * @property photos how many are timed.
 * @property pass timed passes that are done, of [passes]; null while nothing runs.
 * @property file where the result was written, in the app's folder of the phone's storage.
 */
data class BenchmarkScreen(
    val model: String,
    val photos: Int,
    val pass: Int? = null,
    val passes: Int = 0,
    val result: BenchmarkResult? = null,
    val file: String? = null,
    val error: String? = null,
)

/** Runs one benchmark at a time; it goes on over rotations and ends when its screen is left. */
class BenchmarkViewModel(application: Application) : AndroidViewModel(application) {
    private val app = application.app
    private val runner = BenchmarkRunner(application)
    private val current = MutableStateFlow(
        BenchmarkScreen(model = app.settings.settings.value.model?.let(::nameIn) ?: nameIn(app.models.keys().first()), photos = runner.photos.size),
    )

    val screen: StateFlow<BenchmarkScreen> = current.asStateFlow()

    /** What an intent asks for; without extras, the model in use as it is set. */
    fun run(intent: Intent) {
        if (current.value.pass != null) return
        current.update { BenchmarkScreen(it.model, it.photos, pass = 0) }
        viewModelScope.launch(Dispatchers.IO) {
            var out: String? = null
            try {
                out = outOf(intent)
                val request = BenchmarkRequest(
                    model = intent.getStringExtra(BenchmarkExtras.MODEL)?.let(::keyOf),
                    settings = settingsOf(intent, app.settings.settings.value),
                    out = out.orEmpty(),
                )
                run(request)
            } catch (error: InputException) {
                fail(out, error)
            } catch (error: IOException) {
                fail(out, error)
            }
        }
    }

    private suspend fun run(request: BenchmarkRequest) {
        current.update { it.copy(model = request.model?.let(::nameIn) ?: it.model, passes = request.settings.repetitions) }
        val result = runner.run(request) { done ->
            if (!viewModelScope.isActive) throw CancellationException("the screen was left")
            current.update { it.copy(pass = done) }
        }
        val name = request.out.ifEmpty { "${result.model.contract.name}.json" }
        val file = writeBenchmark(app, name, result.toJson())
        current.update { it.copy(pass = null, result = result, file = "${file.parentFile?.name}/${file.name}") }
    }

    private suspend fun fail(out: String?, error: Exception) {
        current.update { it.copy(pass = null, error = error.message) }
        if (out == null) return
        withContext(Dispatchers.IO) {
            try {
                writeBenchmark(app, out, benchmarkError(error.message.orEmpty()))
            } catch (_: IOException) {
                // It stands on the screen.
            }
        }
    }

    /** The key of the model that a contract names so. */
    private fun keyOf(name: String): String {
        val entries = app.models.list()
        return entries.firstOrNull { it.file.contract.name == name }?.key ?: throw InputException(
            BenchmarkExtras.MODEL,
            expected = entries.map { it.file.contract.name }.distinct().joinToString(" or "),
            found = "'$name'",
        )
    }

    private fun nameIn(key: String) = key.substringAfter('/')
}
