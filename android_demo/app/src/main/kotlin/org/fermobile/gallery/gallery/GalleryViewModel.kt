package org.fermobile.gallery.gallery

import android.app.Application
import android.net.Uri
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.fermobile.core.InputException
import org.fermobile.core.PhotoResult
import org.fermobile.gallery.app
import org.fermobile.gallery.engine.EngineSettings
import org.fermobile.gallery.library.Access
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.logic.GalleryEvent
import org.fermobile.gallery.logic.GalleryState
import org.fermobile.gallery.logic.Phase
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

/** Outlives rotations; after the process was ended, results come back from the store. */
class GalleryViewModel(application: Application, private val saved: SavedStateHandle) :
    AndroidViewModel(application) {

    private val app = application.app
    private val current = MutableStateFlow(GalleryScreen())
    private var run: Job? = null

    /** Of the store, when everything was last read from it. */
    private var storedVersion = -1

    // Read before the first event writes over it.
    private val phaseOfBefore = saved.get<String>(PHASE)
    private val selectedBefore = saved.get<ArrayList<String>>(SELECTED).orEmpty()

    val screen: StateFlow<GalleryScreen> = current.asStateFlow()

    init {
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
        viewModelScope.launch {
            refreshPhotos()
            // A photo's own screen may have stored one meanwhile.
            if (current.value.gallery.identity.isNotEmpty() && app.results.version != storedVersion) takeStored()
        }
    }

    fun choose(uris: List<Uri>) {
        viewModelScope.launch {
            withContext(Dispatchers.IO) { app.library.choose(uris) }
            refresh()
        }
    }

    fun filterAll() = on(GalleryEvent.FilterAll)

    fun cancel() {
        run?.cancel()
        on(GalleryEvent.Cancel)
    }

    fun back() {
        run?.cancel()
        on(GalleryEvent.Back)
    }

    fun toggle(label: String) = on(GalleryEvent.Toggle(label))

    private fun on(event: GalleryEvent) {
        current.update { it.copy(gallery = it.gallery.on(event)) }
        val gallery = current.value.gallery
        saved[PHASE] = gallery.phase.name
        saved[SELECTED] = ArrayList(gallery.selected)
        if (gallery.phase == Phase.FILTERING && gallery.identity.isNotEmpty() && run?.isActive != true) {
            run = viewModelScope.launch { filter(app.settings.settings.value) }
        }
    }

    private suspend fun refreshPhotos() {
        val (access, photos) = withContext(Dispatchers.IO) { app.library.access to app.library.photos() }
        current.update { it.copy(access = access, library = photos.associateBy(LibraryPhoto::key)) }
        on(GalleryEvent.PhotosListed(photos.map(LibraryPhoto::key)))
    }

    private suspend fun useModel(settings: EngineSettings) {
        run?.cancel()
        try {
            val (identity, vocabulary) = app.engine.use(settings) { it.identity to vocabularyOf(it.model.contract) }
            current.update { it.copy(modelError = null) }
            val first = current.value.gallery.identity.isEmpty()
            on(GalleryEvent.ModelChanged(identity, vocabulary))
            takeStored()
            if (first) {
                if (phaseOfBefore != null && phaseOfBefore != Phase.BROWSING.name) filterAll()
                selectedBefore.forEach(::toggle)
            }
        } catch (error: InputException) {
            current.update { it.copy(modelError = error.message) }
        }
    }

    private suspend fun takeStored() {
        storedVersion = app.results.version
        val gallery = current.value.gallery
        val known = app.results.all(gallery.identity).filterKeys(gallery.photos.toHashSet()::contains)
        if (known.isNotEmpty()) on(GalleryEvent.ResultsArrived(gallery.identity, known))
    }

    /** Forgets the results of photos and models that are gone; photos may be missed only if all are seen. */
    private suspend fun prune() = withContext(Dispatchers.IO) {
        if (app.library.access != Access.ALL) return@withContext
        val photos = app.library.photos().mapTo(HashSet(), LibraryPhoto::key)
        if (photos.isNotEmpty()) app.results.prune(photos, app.models.list().mapTo(HashSet()) { it.file.sha256 })
    }

    /** Works through what is pending, also what comes to be pending meanwhile; hands in results several times a second, and stores them. */
    private suspend fun filter(settings: EngineSettings) {
        val identity = current.value.gallery.identity
        val ready = LinkedHashMap<String, PhotoResult>()
        suspend fun handIn() = withContext(NonCancellable) {
            app.results.put(identity, ready)
            storedVersion = app.results.version
            on(GalleryEvent.ResultsArrived(identity, ready.toMap()))
            ready.clear()
        }
        try {
            var handedIn = System.nanoTime()
            while (current.value.gallery.pending.isNotEmpty()) {
                for (key in current.value.gallery.pending) {
                    val photo = current.value.library?.get(key) ?: continue // gone meanwhile
                    ready[key] = app.engine.use(settings) { it.analyse(photo.uri) }
                    if (System.nanoTime() - handedIn > HAND_IN_NS) {
                        handIn()
                        handedIn = System.nanoTime()
                    }
                }
                handIn()
            }
        } catch (error: CancellationException) {
            handIn()
            throw error
        } catch (error: InputException) {
            current.update { it.copy(modelError = error.message) }
            on(GalleryEvent.Cancel)
        }
    }

    private companion object {
        const val PHASE = "phase"
        const val SELECTED = "selected"
        const val HAND_IN_NS = 250_000_000L
    }
}
