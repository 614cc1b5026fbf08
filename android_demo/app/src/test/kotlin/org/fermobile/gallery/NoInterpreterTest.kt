package org.fermobile.gallery

import org.fermobile.core.TensorModel
import org.fermobile.fer.Accelerator
import org.fermobile.fer.Cpu
import org.fermobile.gallery.engine.Engine
import org.fermobile.gallery.gallery.GalleryActivity
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.nio.ByteBuffer

private object NoLibrary : Accelerator by Cpu() {
    override fun open(content: ByteBuffer, threads: Int): TensorModel =
        throw UnsatisfiedLinkError("dlopen failed: cannot locate symbol \"strtod_l\"")
}

/** A phone on which the interpreter's library does not load: LiteRT 1.4.0 did so before Android 8. */
class NoInterpreterApp : GalleryApp() {
    override val engine by lazy {
        Engine(models, contentResolver, accelerator = { NoLibrary })
    }
}

/** It runs under Gradle too, and on an Android of every kind that the app asks about. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [30, 33, 34, 35], qualifiers = "en-w360dp-h640dp-port-hdpi", application = NoInterpreterApp::class)
class NoInterpreterTest {
    @Test
    fun theGallerySaysSo() {
        havePhotos(bundled("astronaut-smile", "cat"))
        val activity = Robolectric.buildActivity(GalleryActivity::class.java).setup().get()
        waitUntil("the message") { activity.view(R.id.message).isShown }
        val message = activity.text(R.id.message)
        assertTrue(message, "TensorFlow Lite: expected a library that this phone can load" in message)
        assertTrue(message, "strtod_l" in message)
        assertFalse(activity.view(R.id.filter_all).isEnabled)
    }
}
