package org.fermobile.gallery

import android.graphics.Bitmap
import android.graphics.Rect
import androidx.lifecycle.ViewModelStore
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.fermobile.core.Box
import org.fermobile.fer.Fer
import org.fermobile.fer.photoSource
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.io.IOException
import kotlin.math.abs
import kotlin.math.roundToInt

/** What others write: consumers of the library, compiled against its AAR, and the snippets of docs/android.md. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], application = TestGalleryApp::class)
class ConsumersTest {
    @Test
    fun aConsumerInEitherLanguageGetsTheLabel() {
        havePhotos(bundled("astronaut-smile", "cat", "four-portraits"))
        val expected = listOf("happiness", null, "multiple")
        val java = javaapp.Expressions(galleryApp)
        for ((index, label) in expected.withIndex()) {
            assertEquals(label, (shown(index) as kotlinapp.Expression.Found).label)
            assertEquals(label, java.expressionOf(uriOf(index)))
        }
        MediaProvider.closed = MediaProvider.files.toSet()
        assertTrue("no access" in (shown(0) as kotlinapp.Expression.Failed).reason)
        assertThrows(IOException::class.java) { java.expressionOf(uriOf(0)) }
        java.close()
    }

    /** What a screen that is opened and closed shows of a photo. */
    private fun shown(index: Int): kotlinapp.Expression {
        val screen = ViewModelStore()
        val model = kotlinapp.ExpressionViewModel(galleryApp).also { screen.put("expression", it) }
        model.show(uriOf(index))
        return runBlocking { model.expression.filterNotNull().first() }.also { screen.clear() }
    }

    @Test
    fun aSnippetRefusesAFileWithOtherLabels() {
        val model = "models/compact_int8.tflite"
        val expected = "$model: expected INT8 [1, 56, 56, 1] with zero point -128 to INT8 [1, 7], found INT8 [1, 56, 56, 1] " +
            "with zero point -128 to INT8 [1, 8]. Take the code of: fer-mobile android snippet"
        val kotlin = assertThrows(IllegalArgumentException::class.java) { kotlinseven.ExpressionClassifier(galleryApp, model) }
        assertEquals("$expected kotlin --model FILE", kotlin.message)
        val java = assertThrows(IllegalArgumentException::class.java) { javaseven.ExpressionClassifier(galleryApp, model) }
        assertEquals("$expected java --model FILE", java.message)
    }

    /** All faces of the bundled photos, in whole pixels; a level of gray may be rounded otherwise. */
    @Test
    fun theSnippetsGiveTheProbabilitiesOfTheLibrary() {
        val model = "models/xcao_two_stream_int8.tflite"
        val fer = Fer.create(galleryApp)
        var faces = 0
        var worst = 0f
        kotlinapp.ExpressionClassifier(galleryApp, model).use { kotlin ->
            javaapp.ExpressionClassifier(galleryApp, model).use { java ->
                for (row in Json.parseToJsonElement(File(output, "expected.json").readText()).jsonArray) {
                    val photo = upright(File(row.jsonObject.getValue("path").jsonPrimitive.content))
                    for (face in row.jsonObject.getValue("faces").jsonArray.map { it.jsonObject }) {
                        val (x, y, width, height) = face.getValue("box").jsonArray.map { it.jsonPrimitive.double.roundToInt() }
                        val box = Rect(x, y, x + width, y + height)
                        val found = kotlin.classify(photo, box)
                        assertEquals(found, java.classify(photo, box))
                        val exact = fer.classifyBlocking(photo, Box(box.left + 0.0, box.top + 0.0, box.width() + 0.0, box.height() + 0.0))
                        for ((label, probability) in exact.probabilities) worst = maxOf(worst, abs(found.getValue(label) - probability))
                        assertEquals(exact.label, found.maxBy { it.value }.key)
                        faces++
                    }
                }
            }
        }
        fer.close()
        assertTrue("$faces faces", faces > 20)
        assertTrue("$worst", worst <= 0.02f)
    }

    /** Times on this machine; benchmarks/android_library.py makes a row of them. */
    @Test
    fun whatTheLibraryCosts() {
        val start = System.nanoTime()
        Fer.create(galleryApp, "compact").use { fer ->
            val first = runBlocking { fer.analyse(photoSource(bundledPhotos.first()::inputStream)) }
            val labelled = System.nanoTime()
            val results = runBlocking { bundledPhotos.map { fer.analyse(photoSource(it::inputStream)) } }
            val seconds = (System.nanoTime() - labelled) / 1e9
            assertEquals("happiness", first.label)
            assertTrue(results.all { it.error == null })
            val figures = "{\"create_to_first_label_ms\": ${(labelled - start) / 1e6}, \"photos_per_second\": ${results.size / seconds}}"
            File(output, "library.json").writeText(figures)
        }
    }

    private fun upright(file: File): Bitmap = with(photoSource(file::inputStream).load(Int.MAX_VALUE / 8).image) {
        Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }
}
