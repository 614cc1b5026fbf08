package org.fermobile.gallery.photo

import android.app.Application
import android.graphics.Bitmap
import android.net.Uri
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.fermobile.core.InputException
import org.fermobile.core.PhotoException
import org.fermobile.core.PhotoResult
import org.fermobile.fer.bytesOf
import org.fermobile.fer.decodePreview
import org.fermobile.gallery.app
import org.fermobile.gallery.logic.Vocabulary
import org.fermobile.gallery.ui.vocabularyOf

/**
 * All that the photo's screen shows.
 *
 * @property photo null until it is decoded, and where it can't be.
 * @property vocabulary of the model that gave [result].
 * @property modelError why it could not be filtered.
 * @property minQuality faces of a lower quality are shown as unsure.
 */
data class PhotoScreen(
    val photo: Bitmap? = null,
    val unreadable: Boolean = false,
    val tooLarge: Boolean = false,
    val busy: Boolean = false,
    val result: PhotoResult? = null,
    val vocabulary: Vocabulary = Vocabulary(),
    val modelError: String? = null,
    val minQuality: Double = 0.0,
)

/** One photo of the gallery. */
class PhotoViewModel(application: Application, saved: SavedStateHandle) :
    AndroidViewModel(application) {

    private val app = application.app
    val uri: Uri = requireNotNull(saved.get<Uri>(URI)) { "started without a photo" }
    private val key: String = saved[KEY] ?: uri.toString()
    private val current = MutableStateFlow(PhotoScreen())

    /** Whether it is one of the picker's. */
    val chosen: Boolean = saved[CHOSEN] ?: false

    val screen: StateFlow<PhotoScreen> = current.asStateFlow()

    init {
        viewModelScope.launch { app.settings.minQuality.collect { least -> current.update { it.copy(minQuality = least) } } }
        viewModelScope.launch {
            try {
                val photo = withContext(Dispatchers.IO) { decodePreview(app.contentResolver.bytesOf(uri), PREVIEW_SIDE) }
                current.update { it.copy(photo = photo) }
            } catch (error: PhotoException) {
                current.update { it.copy(unreadable = true, tooLarge = error.tooLarge) }
            }
        }
        viewModelScope.launch { showStored() }
    }

    /** What the gallery or an earlier visit has found. */
    private suspend fun showStored() {
        try {
            val (identity, vocabulary) = app.engine.use(app.settings.settings.value) {
                it.identity to vocabularyOf(it.model.contract)
            }
            val stored = app.results.get(identity, key)
            current.update { if (it.result == null) it.copy(result = stored, vocabulary = vocabulary) else it }
        } catch (_: InputException) {
            // Filtering says what is wrong with the model.
        }
    }

    /** Takes a photo of the picker out of the gallery. */
    fun remove() = app.library.remove(uri)

    fun filter() {
        if (current.value.busy) return
        current.update { it.copy(busy = true, modelError = null) }
        viewModelScope.launch {
            try {
                val (identity, vocabulary, result) = app.engine.use(app.settings.settings.value) {
                    Triple(it.identity, vocabularyOf(it.model.contract), it.analyse(uri))
                }
                app.results.put(identity, mapOf(key to result))
                current.update { it.copy(busy = false, result = result, vocabulary = vocabulary) }
            } catch (error: InputException) {
                current.update { it.copy(busy = false, modelError = error.message) }
            }
        }
    }

    companion object {
        const val URI = "uri"
        const val KEY = "key"
        const val CHOSEN = "chosen"
        private const val PREVIEW_SIDE = 800
    }
}
