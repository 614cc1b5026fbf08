package org.fermobile.gallery.models

import android.app.Application
import android.net.Uri
import android.provider.OpenableColumns
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.fermobile.core.InputException
import org.fermobile.gallery.app
import org.fermobile.gallery.engine.EngineSettings
import org.fermobile.gallery.engine.ModelEntry
import java.io.IOException

/** What an import came to. */
sealed interface Import {
    /** The model is in use. */
    data class Accepted(val name: String) : Import

    /** [reason] is for those who know models; it is in English. */
    data class Refused(val reason: String) : Import
}

/**
 * What computes the model in use.
 *
 * @property accelerator its name in contracts.
 * @property fallback why it is not the one that was asked for; null if it is.
 */
data class RunsOn(val accelerator: String, val fallback: String?)

/**
 * All that the models' screen shows.
 *
 * @property chosen key of the model in use.
 * @property runsOn null where the CPU was asked for, and until the model is loaded.
 */
data class ModelsScreen(
    val models: List<ModelEntry> = emptyList(),
    val chosen: String? = null,
    val engine: EngineSettings = EngineSettings(),
    val import: Import? = null,
    val runsOn: RunsOn? = null,
    val minQuality: Double = 0.0,
)

class ModelsViewModel(application: Application) : AndroidViewModel(application) {
    private val app = application.app
    private val current = MutableStateFlow(
        ModelsScreen(engine = app.settings.settings.value, minQuality = app.settings.minQuality.value),
    )

    val screen: StateFlow<ModelsScreen> = current.asStateFlow()

    init {
        viewModelScope.launch { app.settings.settings.collect(::refresh) }
        viewModelScope.launch { app.settings.minQuality.collect { least -> current.update { it.copy(minQuality = least) } } }
    }

    fun choose(entry: ModelEntry) = change { it.with(entry) }

    fun useThreads(threads: Int) = change { it.copy(threads = threads) }

    fun useXnnpack(on: Boolean) = change { it.copy(xnnpack = on) }

    fun turnPhotos(on: Boolean) = change { it.copy(orient = on) }

    fun useGpu(on: Boolean) = change { it.copy(gpu = on) }

    /** @param percent of the best quality; a poorer face is shown as unsure. */
    fun useMinQuality(percent: Int) = app.settings.changeMinQuality(percent)

    /** Takes in a file that the user picked and uses it at once, or says why not. */
    fun import(uri: Uri) {
        viewModelScope.launch {
            val outcome = withContext(Dispatchers.IO) { take(uri) }
            refresh(app.settings.settings.value)
            current.update { it.copy(import = outcome) }
        }
    }

    fun remove(key: String) {
        app.models.remove(key)
        if (app.settings.settings.value.model == key) {
            change { it.copy(model = null, modelSha256 = null) }
        } else {
            viewModelScope.launch { refresh(app.settings.settings.value) }
        }
    }

    private fun change(how: (EngineSettings) -> EngineSettings) = app.settings.change(how(app.settings.settings.value))

    private suspend fun refresh(settings: EngineSettings) {
        val models = withContext(Dispatchers.IO) { app.models.list() }
        current.update {
            it.copy(
                models = models, chosen = settings.model ?: models.firstOrNull()?.key, engine = settings, runsOn = null,
            )
        }
        if (settings.gpu) {
            val runsOn = runsOn(settings)
            current.update { it.copy(runsOn = runsOn) }
        }
    }

    private suspend fun runsOn(settings: EngineSettings): RunsOn? = try {
        app.engine.use(settings) { RunsOn(it.accelerator, it.fallback) }
    } catch (_: InputException) { // the gallery says what is wrong with the model
        null
    }

    private suspend fun take(uri: Uri): Import = try {
        val resolver = app.contentResolver
        val name = resolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)
            ?.use { if (it.moveToFirst()) it.getString(0) else null } ?: uri.lastPathSegment ?: "model"
        val stream = resolver.openInputStream(uri) ?: throw IOException("nothing to read")
        val entry = stream.use { app.engine.import(name, it) }
        change { it.with(entry) }
        Import.Accepted(entry.file.name)
    } catch (error: CancellationException) {
        throw error
    } catch (error: Exception) { // besides ours: a provider of another app may throw anything
        Import.Refused(error.message ?: error.javaClass.simpleName)
    }
}
