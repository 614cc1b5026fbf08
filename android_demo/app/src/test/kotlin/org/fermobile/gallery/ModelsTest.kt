package org.fermobile.gallery

import android.view.View
import android.view.ViewGroup
import android.widget.RadioButton
import android.widget.ScrollView
import androidx.lifecycle.ViewModelProvider
import kotlinx.coroutines.runBlocking
import org.fermobile.fer.Accelerator
import org.fermobile.fer.Cpu
import org.fermobile.gallery.engine.Engine
import org.fermobile.gallery.engine.SettingsStore
import org.fermobile.gallery.models.ModelsActivity
import org.fermobile.gallery.models.ModelsViewModel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File

/** A phone whose GPU computes what its CPU does. */
class GpuApp : GalleryApp() {
    override val engine by lazy { Engine(models, contentResolver, accelerator = { if (it.gpu) ItsGpu else Cpu() }) }

    private object ItsGpu : Accelerator by Cpu() {
        override val name = "gpu"
    }
}

@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class ModelsTest {
    private val shipped = File(repository, "models/xcao_two_stream/xcao_two_stream_int8.tflite")
    private val float16 = File(repository, "models/xcao_two_stream/xcao_two_stream_float16.tflite")

    @Test
    fun aFittingModelIsUsedAtOnce() {
        val activity = open()
        assertTrue(choices(activity).first().isChecked)
        import(activity, float16)
        assertEquals("Now using xcao_two_stream_float16.tflite.", activity.text(R.id.message))
        val chosen = choices(activity).single { it.isChecked }.text
        assertTrue("$chosen", chosen.startsWith("xcao_two_stream_float16.tflite\nImported\nfloat16, 15"))
        val labels = runBlocking {
            galleryApp.engine.use(galleryApp.settings.settings.value) { it.model.contract.precision }
        }
        assertEquals("float16", labels)
        assertLooksLike("import-accepted", activity)

        val before = choices(activity).size
        activity.view(R.id.list).shown().single { it.id == R.id.remove }.performClick()
        waitUntil("its end") { choices(activity).size == before - 1 }
        assertTrue(choices(activity).first().isChecked)
    }

    @Test
    fun aDamagedModelIsRefused() {
        val bytes = shipped.readBytes()
        bytes[bytes.size / 2] = (bytes[bytes.size / 2] + 1).toByte()
        refuse("damaged.tflite", bytes, "changed or damaged")
    }

    @Test
    fun aModelWithoutContractIsRefused() {
        val activity = refuse(
            "detector.tflite", File(repository, "models/yunet/face_detection_yunet.tflite").readBytes(), "embedded contract",
        )
        assertLooksLike("import-refused", activity)
    }

    @Test
    fun whatIsNoModelIsRefused() {
        refuse("notes.tflite", "no model".toByteArray(), "a TensorFlow Lite model")
    }

    @Test
    fun aGraphThatFitsTogetherNowhereIsRefused() {
        refuse("wrong.tflite", File(output, "unpreparable.tflite").readBytes(), "a model that this runtime can run")
    }

    @Test
    fun aModelThatGivesOtherLabelsThanItsFloatModelIsRefused() {
        refuse("forged.tflite", File(output, "forged.tflite").readBytes(), "the labels of its float model for 32 faces")
    }

    @Test
    fun anEmptyFileIsRefused() {
        refuse("empty.tflite", ByteArray(0), "a TensorFlow Lite model")
    }

    @Test
    fun theInterpreterCanBeSet() {
        val activity = open()
        activity.view(R.id.xnnpack).performClick()
        waitUntil("the setting") { !galleryApp.settings.settings.value.xnnpack }
        activity.view(R.id.orient).performClick()
        waitUntil("the setting") { !galleryApp.settings.settings.value.orient }
        ViewModelProvider(activity)[ModelsViewModel::class.java].useThreads(1)
        waitUntil("the text") { activity.text(R.id.threads_text) == "Threads: 1" }
    }

    @Test
    fun whatComputesIsSaidWhereTheGpuIsAskedFor() {
        val activity = open()
        assertFalse(activity.view(R.id.runs_on).isShown)
        activity.view(R.id.gpu).performClick()
        waitUntil("what computes") { activity.view(R.id.runs_on).visibility == View.VISIBLE }
        val used = activity.text(R.id.runs_on)
        assertTrue(used, used.startsWith("The model runs on the CPU.\nDetails: xcao_two_stream_int8.tflite: "))
        assertTrue(used, "no GPU delegate in this build of the app" in used)
        choices(activity).first { it.text.startsWith("compact_int8.tflite") }.performClick()
        val verdict = "compact_int8.tflite: its contract's verdict on the GPU is \"differs\"."
        waitUntil("the other model") { verdict in activity.text(R.id.runs_on) }
    }

    @Test
    @Config(application = GpuApp::class)
    fun aGpuThatCanIsUsed() {
        val activity = open()
        activity.view(R.id.gpu).performClick()
        waitUntil("what computes") { activity.text(R.id.runs_on) == "The model runs on the GPU." }
        ViewModelProvider(activity)[ModelsViewModel::class.java].useMinQuality(30)
        waitUntil("the text") { "30%" in activity.text(R.id.quality_text) }
        assertEquals(0.3, SettingsStore(galleryApp).minQuality.value, 0.0)

        val again = open() // without a switch that is moving
        waitUntil("what computes") { again.view(R.id.runs_on).visibility == View.VISIBLE }
        val scroll = generateSequence(again.view(R.id.list).parent) { it.parent }.first { it is ScrollView } as ScrollView
        scroll.scrollTo(0, scroll.getChildAt(0).height)
        assertLooksLike("settings", again)
    }

    @Test
    fun aFileWhoseProviderFailsIsRefused() {
        val activity = open()
        havePhotos(listOf(float16), permitted = false)
        MediaProvider.failing = setOf(float16)
        ViewModelProvider(activity)[ModelsViewModel::class.java].import(uriOf(0))
        waitUntil("an answer") { activity.view(R.id.message).isShown }
        assertEquals("This file can't be used\nDetails: UnsupportedOperationException", activity.text(R.id.message))
    }

    private fun refuse(name: String, content: ByteArray, reason: String): ModelsActivity {
        val activity = open()
        val before = choices(activity).size
        import(activity, File(File(galleryApp.cacheDir, "in").apply { mkdirs() }, name).apply { writeBytes(content) })
        val message = activity.text(R.id.message)
        assertTrue(message, message.startsWith("This file can't be used\nDetails: $name: expected "))
        assertTrue(message, message.contains(reason))
        assertEquals(before, choices(activity).size)
        assertTrue(choices(activity).first().isChecked)
        assertEquals(emptyList<String>(), File(galleryApp.filesDir, "models").list().orEmpty().toList())
        return activity
    }

    private fun open(): ModelsActivity {
        val activity = Robolectric.buildActivity(ModelsActivity::class.java).setup().get()
        waitUntil("the models") { choices(activity).isNotEmpty() }
        return activity
    }

    /** As the system's picker hands a file over. */
    private fun import(activity: ModelsActivity, file: File) {
        havePhotos(listOf(file), permitted = false)
        ViewModelProvider(activity)[ModelsViewModel::class.java].import(uriOf(0))
        waitUntil("an answer") { activity.view(R.id.message).isShown }
    }

    private fun choices(activity: ModelsActivity): List<RadioButton> =
        activity.findViewById<ViewGroup>(R.id.list).shown().filterIsInstance<RadioButton>()
}
