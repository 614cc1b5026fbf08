package org.fermobile.gallery.engine

import android.content.Context
import androidx.core.content.edit
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/**
 * What the interpreter is made with.
 *
 * @property model key of a model ([ModelStore]); null for the default one.
 * @property modelSha256 checksum of that file: another file of the same name is another model.
 * @property threads of detector and classifier.
 * @property orient whether photos that lie on a side or upside down are turned.
 * @property gpu whether the GPU computes the classifier, where the model's contract allows it.
 */
data class EngineSettings(
    val model: String? = null,
    val modelSha256: String? = null,
    val threads: Int = DEFAULT_THREADS,
    val xnnpack: Boolean = true,
    val orient: Boolean = true,
    val gpu: Boolean = false,
) {
    /** The same with another model. */
    fun with(entry: ModelEntry) = copy(model = entry.key, modelSha256 = entry.file.sha256)

    companion object {
        val MOST_THREADS = Runtime.getRuntime().availableProcessors().coerceIn(1, 8)
        val DEFAULT_THREADS = minOf(2, MOST_THREADS)
    }
}

/** The settings, kept over restarts. */
class SettingsStore(context: Context) {
    private val preferences = context.getSharedPreferences("engine", Context.MODE_PRIVATE)
    private val current = MutableStateFlow(
        EngineSettings(
            model = preferences.getString("model", null),
            modelSha256 = preferences.getString("modelSha256", null),
            threads = preferences.getInt("threads", EngineSettings.DEFAULT_THREADS)
                .coerceIn(1, EngineSettings.MOST_THREADS),
            xnnpack = preferences.getBoolean("xnnpack", true),
            orient = preferences.getBoolean("orient", true),
            gpu = preferences.getBoolean("gpu", false),
        ),
    )
    private val leastQuality = MutableStateFlow(preferences.getInt(MIN_QUALITY, 0) / 100.0)

    val settings: StateFlow<EngineSettings> = current.asStateFlow()

    /** Faces of a lower quality, 0 to 1, are shown as unsure; 0 labels all. */
    val minQuality: StateFlow<Double> = leastQuality.asStateFlow()

    /** @param percent of the best quality. */
    fun changeMinQuality(percent: Int) {
        preferences.edit { putInt(MIN_QUALITY, percent) }
        leastQuality.value = percent / 100.0
    }

    fun change(settings: EngineSettings) {
        preferences.edit {
            putString("model", settings.model)
            putString("modelSha256", settings.modelSha256)
            putInt("threads", settings.threads)
            putBoolean("xnnpack", settings.xnnpack)
            putBoolean("orient", settings.orient)
            putBoolean("gpu", settings.gpu)
        }
        current.value = settings
    }

    private companion object {
        const val MIN_QUALITY = "minQuality"
    }
}
