package org.fermobile.gallery

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.Color
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import java.io.ByteArrayOutputStream
import java.io.File
import kotlin.math.abs

/** Every view below this one that is to be seen, itself included. */
fun View.shown(): List<View> = when {
    visibility != View.VISIBLE -> emptyList()
    this is ViewGroup -> listOf<View>(this) + (0 until childCount).flatMap { getChildAt(it).shown() }
    else -> listOf(this)
}

/** Every text that is to be seen. */
fun Activity.texts(): List<String> =
    window.decorView.shown().filterIsInstance<TextView>().map { it.text.toString() }.filter(String::isNotEmpty)

/** A pixel that differs by more than this in a channel, of 255, counts as another one. */
private const val SAME_CHANNEL = 40

/** The part of a screen's pixels that may be others: 51 of 360 by 640 dp in hdpi. */
private const val TOLERANCE = 0.0001

private val committed = File(repository, "android_demo/screens")
private val recording = System.getProperty("fermobile.record") == "true"

/**
 * Compares a screen with the committed picture and words of it.  What was found is left in the build
 * folder; where it differs, `-Dfermobile.record=true` makes it the new one.
 */
fun assertLooksLike(name: String, activity: Activity) {
    assertReadsLike(name, activity)
    val view = activity.window.decorView
    // How far a scroll bar has faded depends on the machine's speed.
    view.shown().filter { it.isVerticalScrollBarEnabled }.forEach { it.isScrollbarFadingEnabled = false }
    val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
    view.draw(Canvas(bitmap))
    val picture = ByteArrayOutputStream().apply { bitmap.compress(Bitmap.CompressFormat.JPEG, 85, this) }.toByteArray()
    val expected = File(committed, "$name.jpg")
    val found = File(output, "screens/$name.jpg").apply { parentFile!!.mkdirs() }
    found.writeBytes(picture)
    val part = if (expected.exists()) difference(expected, found) else 1.0
    if (part > TOLERANCE && recording) {
        found.copyTo(expected, overwrite = true)
        return
    }
    assertTrue("$name: ${"%.3f".format(part * 100)} % of the pixels differ from $expected; look at $found", part <= TOLERANCE)
}

/** Compares all that a screen says, and what TalkBack reads, with the committed words of it. */
fun assertReadsLike(name: String, activity: Activity) {
    val words = activity.window.decorView.shown().flatMap { view ->
        listOfNotNull((view as? TextView)?.text?.toString(), view.contentDescription?.let { "[$it]" })
    }.filter(String::isNotEmpty).joinToString("\n", postfix = "\n")
    val expected = File(committed, "$name.txt")
    if (recording && (!expected.exists() || expected.readText() != words)) expected.writeText(words)
    assertEquals(name, if (expected.exists()) expected.readText() else "", words)
}

private fun difference(first: File, second: File): Double {
    val (one, other) = listOf(first, second).map { BitmapFactory.decodeFile(it.path) }
    if (one.width != other.width || one.height != other.height) return 1.0
    val (a, b) = listOf(one, other).map { bitmap ->
        IntArray(bitmap.width * bitmap.height).also { bitmap.getPixels(it, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height) }
    }
    val channels = listOf(Color::red, Color::green, Color::blue)
    return a.indices.count { i -> channels.any { abs(it(a[i]) - it(b[i])) > SAME_CHANNEL } }.toDouble() / a.size
}
