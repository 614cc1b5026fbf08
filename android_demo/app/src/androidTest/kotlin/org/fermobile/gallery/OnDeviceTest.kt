package org.fermobile.gallery

import android.content.Intent
import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import kotlinx.coroutines.runBlocking
import org.fermobile.fer.photoSource
import org.fermobile.gallery.benchmark.BenchmarkExtras
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import java.io.File

/** What only a device or an emulator can show; it runs in the workflow of a public forge. */
@RunWith(AndroidJUnit4::class)
class OnDeviceTest {
    private val context = InstrumentationRegistry.getInstrumentation().targetContext

    @Test
    fun bundledPhotosAreClassified() {
        val photos = mapOf("astronaut-smile.jpg" to "happiness", "cat.png" to null, "four-portraits.jpg" to "multiple")
        for ((name, label) in photos) {
            val result = runBlocking {
                context.app.engine.use(context.app.settings.settings.value) {
                    it.analyse(photoSource { context.assets.open("photos/affective-25/$name") })
                }
            }
            assertEquals(name, label, result.label)
        }
    }

    @Test
    fun theBenchmarkWritesItsResult() {
        val file = File(context.getExternalFilesDir(null), "bench/device.json").apply { delete() }
        context.startActivity(
            Intent(context, BenchmarkActivity::class.java)
                .putExtra(BenchmarkExtras.OUT, file.name)
                .putExtra(BenchmarkExtras.REPETITIONS, 1)
                .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK),
        )
        val end = System.currentTimeMillis() + 120_000
        while (!file.exists() && System.currentTimeMillis() < end) Thread.sleep(200)
        assertTrue(file.readText(), file.readText().contains("\"fer-mobile/bench\""))
    }
}
