package org.fermobile.gallery.engine

import android.content.ContentResolver
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.produce
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.fermobile.core.InputException
import org.fermobile.core.PhotoResult
import org.fermobile.core.decodeAhead
import org.fermobile.fer.bytesOf
import org.fermobile.fer.photoSource
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.library.ResultStore

/**
 * Filters photos for the whole app: a run goes on while no screen shows it, and ends with the process.
 *
 * One photo is analysed while the next ones are decoded.  Results go to the store several times a second, and
 * the store tells the screens.
 */
class FilterRunner(
    private val engine: Engine, private val results: ResultStore, private val resolver: ContentResolver,
) {
    /** @property asked keys of the photos that are waiting or under way. */
    private class Run(val settings: EngineSettings) {
        val waiting = ArrayDeque<LibraryPhoto>()
        val asked = HashSet<String>()
        var job: Job? = null
    }

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val failing = MutableSharedFlow<String>(extraBufferCapacity = 1)
    private val lock = Any()
    private var current: Run? = null

    /** Why a run could not go on. */
    val failures: SharedFlow<String> = failing.asSharedFlow()

    /** Whether photos are waiting or under way. */
    val isActive: Boolean get() = synchronized(lock) { current != null }

    /** Filters photos after those of the run that goes on; a run with other settings ends. */
    fun filter(settings: EngineSettings, photos: List<LibraryPhoto>): Unit = synchronized(lock) {
        if (current?.settings != settings) cancel()
        val run = current ?: Run(settings)
        photos.filterTo(run.waiting) { run.asked.add(it.key) }
        if (current == null && run.waiting.isNotEmpty()) {
            current = run
            run.job = scope.launch { work(run) }
        }
    }

    /** Ends the run; what is done is kept. */
    fun cancel(): Unit = synchronized(lock) {
        current?.job?.cancel()
        current = null
    }

    private suspend fun work(run: Run) {
        try {
            do analyseWaiting(run) while (!ends(run))
        } catch (error: InputException) {
            synchronized(lock) { if (current === run) current = null }
            failing.emit(error.message.orEmpty())
        }
    }

    private fun ends(run: Run): Boolean = synchronized(lock) {
        if (current === run && run.waiting.isEmpty()) current = null
        current !== run
    }

    private suspend fun analyseWaiting(run: Run) = coroutineScope {
        @OptIn(ExperimentalCoroutinesApi::class)
        val decoded = produce(Dispatchers.IO, capacity = DECODED_AHEAD) {
            while (true) {
                val photo = synchronized(lock) { run.waiting.removeFirstOrNull() } ?: break
                send(photo.key to decodeAhead(photoSource(resolver.bytesOf(photo.uri)), engine.clock))
            }
        }
        val ready = LinkedHashMap<String, PhotoResult>()
        var identity = ""
        suspend fun handIn() = withContext(NonCancellable) {
            if (ready.isNotEmpty()) results.put(identity, ready)
            synchronized(lock) { run.asked -= ready.keys }
            ready.clear()
        }
        var handedIn = System.nanoTime()
        try {
            for ((key, photo) in decoded) {
                engine.use(run.settings) {
                    identity = it.identity
                    ready[key] = it.analyse(photo)
                }
                if (System.nanoTime() - handedIn > HAND_IN_NS) {
                    handIn()
                    handedIn = System.nanoTime()
                }
            }
        } finally {
            handIn()
        }
    }

    private companion object {
        /** Photos that wait decoded; one more is being decoded, and one analysed. */
        const val DECODED_AHEAD = 1

        const val HAND_IN_NS = 250_000_000L
    }
}
