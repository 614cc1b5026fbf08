package org.fermobile.gallery

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.view.View
import android.view.ViewGroup
import com.google.android.material.appbar.MaterialToolbar
import org.fermobile.core.Stage
import org.fermobile.gallery.library.LibraryPhoto
import org.fermobile.gallery.logic.Expressions
import org.fermobile.gallery.photo.FacesView
import org.fermobile.gallery.photo.PhotoActivity
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
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.util.zip.CRC32

@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class PhotoTest {
    @Test
    fun aFaceHasBoxExpressionProbabilitiesAndTimes() {
        val activity = open(bundled("astronaut-smile").single())
        assertFalse(activity.view(R.id.answer).isShown)
        filter(activity)
        val answer = activity.text(R.id.answer)
        assertEquals("😀 Happiness", answer)
        val rows = described(activity)
        assertEquals(Expressions.LABELS.size + Stage.entries.size, rows.size)
        assertTrue("${rows.first()}", Regex("Happiness, \\d+\\.\\d%").matches(rows.first()))
        assertTrue("${rows.last()}", Regex("Total, [\\d.,]+ ms").matches(rows.last()))
        val box = activity.findViewById<FacesView>(R.id.photo).result!!.faces.single().box
        assertTrue("$box", box.x > 100 && box.y > 40 && box.width in 60.0..200.0)
        assertLooksLike("photo", activity)
    }

    @Test
    fun everyOneOfSeveralFacesIsShown() {
        val activity = open(bundled("four-portraits").single())
        filter(activity)
        assertEquals("👥 Several faces", activity.text(R.id.answer))
        assertEquals(4, activity.findViewById<FacesView>(R.id.photo).result!!.faces.size)
        assertEquals(4, activity.texts().count { it.startsWith("Face ") })
        assertLooksLike("photo-multiple", activity)
    }

    @Test
    fun withoutAFaceOnlyTimesAreShown() {
        val activity = open(bundled("cat").single())
        filter(activity)
        assertEquals("No face", activity.text(R.id.answer))
        assertEquals(listOf("Open", "Find faces", "Total"), described(activity).map { it.substringBefore(",") })
        assertLooksLike("photo-no-face", activity)
    }

    @Test
    fun aPhotoThatCannotBeDecodedSaysSo() {
        val file = File.createTempFile("notes", ".jpg").apply { writeText("no photo") }
        havePhotos(listOf(file))
        val activity = launch(file)
        waitUntil("the message") { activity.view(R.id.answer).isShown }
        assertEquals("Can't be read", activity.text(R.id.answer))
        assertFalse(activity.view(R.id.filter).isEnabled)
        assertLooksLike("photo-error", activity)
    }

    @Test
    fun aPoorFaceIsUnsureWithItsReason() {
        val activity = open(smallFace())
        filter(activity)
        assertEquals("😀 Happiness", activity.text(R.id.answer))
        galleryApp.settings.changeMinQuality(80)
        waitUntil("the setting") { activity.text(R.id.answer) == "❓ Unsure, too small" }
        assertTrue("${described(activity)}", described(activity).any { Regex("Quality \\(too small\\), \\d\\d%").matches(it) })
        assertLooksLike("photo-unsure", activity)
    }

    @Test
    fun aPhotoOnItsSideSaysHowItWasTurned() {
        val activity = open(turned("astronaut-smile", degrees = 90f))
        filter(activity)
        assertEquals("😀 Happiness", activity.text(R.id.answer))
        assertTrue("${described(activity)}", "Photo turned by, 270°" in described(activity))
    }

    @Test
    fun aTiltedFaceSaysHowItWasTurned() {
        val activity = open(turned("hopper-portrait", degrees = 30f))
        filter(activity)
        assertEquals("😐 Neutral", activity.text(R.id.answer))
        val rows = described(activity)
        assertTrue("$rows", rows.any { Regex("Face turned upright by, 2\\d°").matches(it) })
        assertTrue("$rows", rows.none { it.startsWith("Photo turned by") })
    }

    private fun turned(name: String, degrees: Float): File = File.createTempFile(name, ".png").apply {
        val upright = BitmapFactory.decodeFile(bundled(name).single().path)
        val turn = Matrix().apply { setRotate(degrees) }
        val turned = Bitmap.createBitmap(upright, 0, 0, upright.width, upright.height, turn, true)
        outputStream().use { turned.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    @Test
    fun aPhotoThatMemoryDoesNotSufficeForSaysSo() {
        val file = File.createTempFile("huge", ".png").apply { writeBytes(headOfAHugePng()) }
        havePhotos(listOf(file))
        val activity = launch(file)
        waitUntil("the message") { activity.view(R.id.answer).isShown }
        assertEquals("Too large for this phone", activity.text(R.id.answer))
    }

    /** Of 20,000×20,000 pixels, more than are decoded. */
    private fun headOfAHugePng(): ByteArray {
        val picture = ByteArrayOutputStream()
        Bitmap.createBitmap(1, 1, Bitmap.Config.ARGB_8888).compress(Bitmap.CompressFormat.PNG, 100, picture)
        return ByteBuffer.wrap(picture.toByteArray()).apply {
            putInt(16, 20_000).putInt(20, 20_000)
            putInt(29, CRC32().apply { update(array(), 12, 17) }.value.toInt())
        }.array()
    }

    @Test
    fun aStoredResultIsShownAtOnce() {
        val photo = bundled("astronaut-smile").single()
        filter(open(photo))
        MediaProvider.opened.clear()
        val again = launch(photo)
        waitUntil("the stored result") { again.view(R.id.answer).isShown }
        assertEquals(Expressions.LABELS.size + Stage.entries.size, described(again).size)
        waitUntil("the photo") { again.view(R.id.filter).isEnabled }
        assertTrue("it is opened for the eye only", MediaProvider.opened.size <= 3)
    }

    @Test
    fun backLeaves() {
        val activity = open(bundled("cat").single())
        val toolbar = activity.findViewById<MaterialToolbar>(R.id.toolbar)
        assertEquals("Photo", toolbar.title)
        toolbar.shown().first { it.contentDescription == "Back" }.performClick()
        assertTrue(activity.isFinishing)
    }

    private fun open(file: File): PhotoActivity {
        havePhotos(listOf(file))
        val activity = launch(file)
        waitUntil("the photo") { activity.view(R.id.filter).isEnabled }
        return activity
    }

    private fun launch(file: File): PhotoActivity {
        val intent = PhotoActivity.intent(galleryApp, LibraryPhoto(uriOf(0), file.path))
        return Robolectric.buildActivity(PhotoActivity::class.java, intent).setup().get()
    }

    private fun filter(activity: PhotoActivity) {
        activity.view(R.id.filter).performClick()
        waitUntil("the result") { activity.view(R.id.answer).isShown }
    }

    /** What TalkBack reads of the rows of figures. */
    private fun described(activity: PhotoActivity): List<String> {
        val facts = activity.findViewById<ViewGroup>(R.id.facts)
        return List(facts.childCount) { facts.getChildAt(it) }.mapNotNull(View::getContentDescription).map { it.toString() }
    }
}
