package org.fermobile.gallery

import android.app.Application
import android.content.Context
import android.os.Process
import android.os.SystemClock
import org.fermobile.gallery.engine.Engine
import org.fermobile.gallery.engine.FilterRunner
import org.fermobile.gallery.engine.ModelStore
import org.fermobile.gallery.engine.SettingsStore
import org.fermobile.gallery.library.PhotoLibrary
import org.fermobile.gallery.library.ResultStore
import org.fermobile.gallery.library.Thumbnails

/** Holds what all screens share. */
open class GalleryApp : Application() {
    val settings by lazy { SettingsStore(this) }
    val models by lazy { ModelStore(this) }
    open val engine by lazy { Engine(models, contentResolver) }
    val library by lazy { PhotoLibrary(this) }
    val results by lazy { ResultStore(this) }
    val runner by lazy { FilterRunner(engine, results, contentResolver) }
    val thumbnails by lazy { Thumbnails(contentResolver) }

    /** Milliseconds from the start of the process until the app's code was loaded. */
    var processStartMs: Long? = null
        private set

    override fun onCreate() {
        super.onCreate()
        processStartMs = SystemClock.elapsedRealtime() - Process.getStartElapsedRealtime()
    }
}

/** The app that a screen belongs to. */
val Context.app: GalleryApp get() = applicationContext as GalleryApp
