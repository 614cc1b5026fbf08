package org.fermobile.gallery

import org.fermobile.core.TensorModel
import org.fermobile.fer.Accelerator
import org.fermobile.fer.Cpu
import org.fermobile.gallery.engine.Engine
import org.fermobile.gallery.logic.Phase
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.nio.ByteBuffer
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicInteger

/** A phone on which every face waits for its turn to be classified. */
class PatientApp : GalleryApp() {
    val turns = Semaphore(0)

    /** Faces that came to be classified. */
    val asked = AtomicInteger()

    override val engine by lazy { Engine(models, contentResolver, accelerator = { Patient() }) }

    private inner class Patient : Accelerator by Cpu() {
        override fun open(content: ByteBuffer, threads: Int): TensorModel {
            val model = Cpu().open(content, threads)
            return object : TensorModel by model {
                override fun run(values: ByteBuffer, shape: List<Int>): Map<String, ByteBuffer> {
                    asked.incrementAndGet()
                    turns.acquire()
                    return model.run(values, shape)
                }
            }
        }
    }
}

/** Runs over many photos. */
@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi", application = PatientApp::class)
class RunTest {
    private val phone get() = galleryApp as PatientApp

    /** One face each. */
    private val portraits = bundled(
        "gray-man-frown", "gray-man-glare", "gray-man-grin", "gray-woman-calm", "gray-woman-smile", "hopper-portrait",
    )

    @Test
    fun twoPhotosAreDecodedWhileOneIsAnalysedAndNoMore() {
        havePhotos(portraits)
        val activity = openGallery().get()
        waitUntil("thumbnails") { thumbnailsThere() }
        MediaProvider.opened.clear()
        activity.view(R.id.filter_all).performClick()
        for (analysed in 1..portraits.size) {
            waitUntil("face $analysed") { phone.asked.get() == analysed }
            val ahead = minOf(analysed + 2, portraits.size)
            waitUntil("the photos ahead of it") { MediaProvider.opened.toSet().size >= ahead }
            assertEquals(portraits.take(ahead).toSet(), MediaProvider.opened.toSet())
            phone.turns.release()
        }
        waitUntil("the end of the run") { state(activity).phase == Phase.FILTERED }
        assertEquals(portraits.size, phone.asked.get())
    }

    @Test
    fun aRunGoesOnWithoutAScreenAndTheNextOneShowsIt() {
        havePhotos(portraits)
        val first = openGallery()
        first.get().view(R.id.filter_all).performClick()
        waitUntil("the first face") { phone.asked.get() == 1 }
        first.pause().stop().destroy()
        phone.turns.release(2)
        waitUntil("the third face, which nobody sees") { phone.asked.get() == 3 }

        val second = openGallery(loaded = false).get()
        phone.turns.release() // the next screen asks between two photos
        waitUntil("the run") { state(second).phase == Phase.FILTERING && second.text(R.id.filter_all) == "Cancel" }
        phone.turns.release(portraits.size)
        waitUntil("the end of the run") { state(second).phase == Phase.FILTERED }
        assertEquals(portraits.size, state(second).results.size)
        assertEquals("each face once", portraits.size, phone.asked.get())
    }

    @Test
    fun aRunEndsWhenItIsCancelled() {
        havePhotos(portraits)
        val activity = openGallery().get()
        activity.view(R.id.filter_all).performClick()
        waitUntil("the first face") { phone.asked.get() == 1 }
        activity.view(R.id.filter_all).performClick()
        phone.turns.release(portraits.size + 1)
        waitUntil("the first state") { state(activity).phase == Phase.BROWSING }
        assertTrue(!phone.runner.isActive)
        filterAll(activity)
        assertTrue("${phone.asked}", phone.asked.get() in portraits.size..portraits.size + 1)
    }
}
