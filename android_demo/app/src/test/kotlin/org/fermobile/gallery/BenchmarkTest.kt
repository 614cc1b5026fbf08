package org.fermobile.gallery

import android.content.Intent
import com.google.android.material.appbar.MaterialToolbar
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File

@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class BenchmarkTest {
    @Test
    fun anIntentGetsAResultInTheSchemaOfTheToolkit() {
        val activity = start(out = "phone.json", repetitions = 2)
        waitUntil("the table") { activity.text(R.id.verdict).isNotEmpty() }
        val verdict = activity.text(R.id.verdict)
        assertTrue(verdict, verdict.startsWith("Nine photos in ten take "))
        val content = File(folder, "phone.json").readText()
        val row = Json.parseToJsonElement(content).jsonObject
        assertEquals("android", row.text("device"))
        assertEquals("xcao_two_stream", row.getValue("model").jsonObject.text("name"))
        assertEquals(25, row.getValue("photos").jsonObject.getValue("n").jsonPrimitive.int)
        assertEquals(2, row.getValue("settings").jsonObject.getValue("repetitions").jsonPrimitive.int)
        assertEquals("0.5", row.getValue("settings").jsonObject.text("budget_s"))
        assertEquals(listOf("phone.json"), folder.list()!!.toList())
        assertTrue("the thesis's total", activity.texts().any { it == "2,171.9" })
        assertLooksLike("benchmark", activity)
        activity.findViewById<MaterialToolbar>(R.id.toolbar).menu.performIdentifierAction(R.id.share, 0)
        val sent = shadowOf(activity).nextStartedActivity.getParcelableExtra(Intent.EXTRA_INTENT, Intent::class.java)!!
        assertEquals(row, Json.parseToJsonElement(sent.getStringExtra(Intent.EXTRA_TEXT)!!))
        File(output, "bench.json").writeText(content) // validated against the schema in Python
    }

    @Test
    fun aModelThatIsNotThereIsAnErrorInTheFile() {
        val activity = start(out = "wrong.json", model = "xcao")
        waitUntil("the error") { File(folder, "wrong.json").exists() }
        val row = Json.parseToJsonElement(File(folder, "wrong.json").readText()).jsonObject
        assertEquals("fer-mobile/bench-error", row.text("schema"))
        assertTrue(row.text("error"), row.text("error").contains("xcao_two_stream"))
        waitUntil("the message") { activity.text(R.id.verdict).startsWith("The benchmark could not run.") }
    }

    @Test
    fun numbersOutOfRangeAreRefused() {
        for ((name, intent) in listOf(
            "passes.json" to intent(out = "passes.json", repetitions = 0),
            "threads.json" to intent(out = "threads.json").putExtra("threads", 99),
            "budget.json" to intent(out = "budget.json").putExtra("budget", -1f),
        )) {
            Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup()
            waitUntil(name) { File(folder, name).exists() }
            assertTrue(name, File(folder, name).readText().contains(name.substringBefore('.').replace("passes", "repetitions")))
        }
    }

    @Test
    fun aResultIsWrittenNowhereElse() {
        for (out in listOf("../out.json", "/tmp/out.json", "out.txt", "a/b.json", ".json", "x\u0000.json")) {
            val activity = start(out = out)
            waitUntil("the refusal of $out") { activity.text(R.id.verdict).isNotEmpty() }
            assertTrue(activity.text(R.id.verdict).contains("expected a file name"))
        }
        assertEquals(emptyList<String>(), folder.list().orEmpty().toList())
    }

    @Test
    fun withoutExtrasItWaitsForTheButton() {
        val activity = Robolectric.buildActivity(BenchmarkActivity::class.java).setup().get()
        waitUntil("the screen") { activity.texts().isNotEmpty() }
        assertTrue(activity.view(R.id.run).isEnabled)
        assertFalse(activity.view(R.id.progress).isShown)
        assertEquals("", activity.text(R.id.verdict))
    }

    private val folder get() = File(galleryApp.getExternalFilesDir(null), "bench")

    private fun start(out: String, repetitions: Int = 1, model: String = "xcao_two_stream"): BenchmarkActivity =
        Robolectric.buildActivity(BenchmarkActivity::class.java, intent(out, repetitions, model)).setup().get()

    private fun intent(out: String, repetitions: Int = 1, model: String = "xcao_two_stream") = Intent()
        .putExtra("model", model).putExtra("out", out).putExtra("repetitions", repetitions)
        .putExtra("threads", 1).putExtra("budget", 0.5f)

    private fun JsonObject.text(key: String) = getValue(key).jsonPrimitive.content
}
