package org.fermobile.gallery.gallery

import android.app.Application
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
import org.fermobile.gallery.app
import org.fermobile.gallery.engine.EngineSettings
import org.fermobile.gallery.library.Access
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.logic.GalleryEvent
import org.fermobile.gallery.logic.GalleryState
import org.fermobile.gallery.logic.Phase
import org.fermobile.gallery.logic.PhotoSummary
import org.fermobile.gallery.ui.vocabularyOf

/**
 * All that the gallery's screen shows.
 *
 * @property library photos by the keys of [gallery]; null until they were looked up.
 * @property modelError why there is no model to filter with.
 */
data class GalleryScreen(
    val gallery: GalleryState = GalleryState(),
    val access: Access = Access.NONE,
    val library: Map<String, LibraryPhoto>? = null,
    val modelError: String? = null,
)

/**
 * Outlives rotations; after the process was ended, results come back from the store.  A run is the app's
 * ([FilterRunner][org.fermobile.gallery.engine.FilterRunner]): a gallery that is opened during one shows it.
 */
class GalleryViewModel(application: Application, private val saved: SavedStateHandle) :
    AndroidViewModel(application) {

    private val app = application.app
    private val current = MutableStateFlow(GalleryScreen())

    // Read before the first event writes over it.
    private val phaseOfBefore = saved.get<String>(PHASE)
    private val selectedBefore = saved.get<ArrayList<String>>(SELECTED).orEmpty()

    val screen: StateFlow<GalleryScreen> = current.asStateFlow()

    init {
        viewModelScope.launch { app.settings.minQuality.collect { on(GalleryEvent.MinQuality(it)) } }
        viewModelScope.launch { app.results.added.collect { take(it.identity, it.results) } }
        viewModelScope.launch { app.runner.failures.collect(::fail) }
        viewModelScope.launch {
            app.settings.settings.collect {
                refreshPhotos()
                useModel(it)
            }
        }
        viewModelScope.launch { prune() }
    }

    /** Looks again at what there is: after a permission was given, and when the user comes back. */
    fun refresh() {
        viewModelScope.launch { refreshPhotos() }
    }

    fun choose(uris: List<Uri>) {
        viewModelScope.launch {
            withContext(Dispatchers.IO) { app.library.choose(uris) }
            refresh()
        }
    }

    fun filterAll() {
        on(GalleryEvent.FilterAll)
        filterPending()
    }

    fun cancel() {
        app.runner.cancel()
        on(GalleryEvent.Cancel)
    }

    fun back() {
        app.runner.cancel()
        on(GalleryEvent.Back)
    }

    fun toggle(label: String) = on(GalleryEvent.Toggle(label))

    private fun on(event: GalleryEvent) {
        current.update { it.copy(gallery = it.gallery.on(event)) }
        saved[PHASE] = current.value.gallery.phase.name
        saved[SELECTED] = ArrayList(current.value.gallery.selected)
    }

    private fun filterPending() {
        val (gallery, _, library) = current.value
        if (gallery.phase != Phase.FILTERING || gallery.identity.isEmpty()) return
        app.runner.filter(app.settings.settings.value, gallery.pending.mapNotNull { library?.get(it) })
    }

    private suspend fun refreshPhotos() {
        val (access, photos) = withContext(Dispatchers.IO) { app.library.access to app.library.photos() }
        current.update { it.copy(access = access, library = photos.associateBy(LibraryPhoto::key)) }
        on(GalleryEvent.PhotosListed(photos.map(LibraryPhoto::key)))
        filterPending()
    }

    private suspend fun useModel(settings: EngineSettings) {
        val first = current.value.gallery.identity.isEmpty()
        if (!first) app.runner.cancel() // it has the settings of before
        try {
            val (identity, vocabulary) = app.engine.use(settings) { it.identity to vocabularyOf(it.model.contract) }
            current.update { it.copy(modelError = null) }
            on(GalleryEvent.ModelChanged(identity, vocabulary))
            take(identity, app.results.all(identity))
            val filtered = phaseOfBefore != null && phaseOfBefore != Phase.BROWSING.name
            if (first && (filtered || app.runner.isActive)) filterAll() else filterPending()
            if (first) selectedBefore.forEach(::toggle)
        } catch (error: InputException) {
            current.update { it.copy(modelError = error.message) }
        }
    }

    private fun take(identity: String, results: Map<String, PhotoSummary>) {
        val known = current.value.library.orEmpty()
        val ours = results.filterKeys { it in known }
        if (ours.isNotEmpty()) on(GalleryEvent.ResultsArrived(identity, ours))
    }

    private fun fail(reason: String) {
        current.update { it.copy(modelError = reason) }
        on(GalleryEvent.Cancel)
    }

    /** Forgets the results of photos and models that are gone; photos may be missed only if all are seen. */
    private suspend fun prune() = withContext(Dispatchers.IO) {
        if (app.library.access != Access.ALL) return@withContext
        val photos = app.library.photos().mapTo(HashSet(), LibraryPhoto::key)
        if (photos.isNotEmpty()) app.results.prune(photos, app.models.list().mapTo(HashSet()) { it.file.sha256 })
    }

    private companion object {
        const val PHASE = "phase"
        const val SELECTED = "selected"
    }
}
