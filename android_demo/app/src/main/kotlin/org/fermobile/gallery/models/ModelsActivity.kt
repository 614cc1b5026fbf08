package org.fermobile.gallery.models

import android.os.Bundle
import android.view.View
import android.widget.ImageButton
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.TextView
import androidx.activity.result.contract.ActivityResultContracts
import androidx.activity.viewModels
import androidx.appcompat.app.AppCompatActivity
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import com.google.android.material.appbar.MaterialToolbar
import com.google.android.material.materialswitch.MaterialSwitch
import com.google.android.material.slider.Slider
import org.fermobile.gallery.R
import org.fermobile.gallery.engine.EngineSettings
import org.fermobile.gallery.engine.ModelEntry
import org.fermobile.gallery.ui.decimal
import org.fermobile.gallery.ui.draw
import org.fermobile.gallery.ui.percent
import org.fermobile.gallery.ui.showIf
import org.fermobile.gallery.ui.showScreen
import kotlin.math.roundToInt

/** Which model is used, import of others, and how the interpreter runs them. */
class ModelsActivity : AppCompatActivity() {
    private val model: ModelsViewModel by viewModels {
        viewModelFactory { initializer { ModelsViewModel(application) } }
    }
    private val pickFile =
        registerForActivityResult(ActivityResultContracts.OpenDocument()) { it?.let(model::import) }

    private val list: LinearLayout by lazy { findViewById(R.id.list) }
    private val message: TextView by lazy { findViewById(R.id.message) }
    private val threads: Slider by lazy { findViewById(R.id.threads) }
    private val xnnpack: MaterialSwitch by lazy { findViewById(R.id.xnnpack) }
    private val orient: MaterialSwitch by lazy { findViewById(R.id.orient) }
    private val gpu: MaterialSwitch by lazy { findViewById(R.id.gpu) }
    private val quality: Slider by lazy { findViewById(R.id.quality) }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        showScreen(R.layout.activity_models)
        // Storage providers know no type of .tflite.
        findViewById<View>(R.id.import_model).setOnClickListener { pickFile.launch(arrayOf("*/*")) }
        findViewById<MaterialToolbar>(R.id.toolbar).setNavigationOnClickListener { finish() }
        threads.showIf(EngineSettings.MOST_THREADS > 1)
        if (EngineSettings.MOST_THREADS > 1) {
            threads.valueFrom = 1f
            threads.valueTo = EngineSettings.MOST_THREADS.toFloat()
            threads.stepSize = 1f
            threads.addOnChangeListener { _, value, byUser -> if (byUser) model.useThreads(value.toInt()) }
        }
        xnnpack.setOnClickListener { model.useXnnpack(xnnpack.isChecked) }
        orient.setOnClickListener { model.turnPhotos(orient.isChecked) }
        gpu.setOnClickListener { model.useGpu(gpu.isChecked) }
        quality.addOnChangeListener { _, value, byUser -> if (byUser) model.useMinQuality(value.roundToInt()) }
        draw(model.screen, ::show)
    }

    private fun show(screen: ModelsScreen) {
        list.removeAllViews()
        for (entry in screen.models) list.addView(row(entry, chosen = entry.key == screen.chosen))
        message.text = when (val import = screen.import) {
            is Import.Accepted -> getString(R.string.import_accepted, import.name)
            is Import.Refused ->
                getString(R.string.import_refused) + "\n" + getString(R.string.details, import.reason)
            null -> ""
        }
        message.showIf(message.text.isNotEmpty())
        findViewById<TextView>(R.id.threads_text).text = getString(R.string.threads, screen.engine.threads)
        if (threads.valueTo >= screen.engine.threads) threads.value = screen.engine.threads.toFloat()
        threads.contentDescription = getString(R.string.threads, screen.engine.threads)
        xnnpack.isChecked = screen.engine.xnnpack
        orient.isChecked = screen.engine.orient
        gpu.isChecked = screen.engine.gpu
        findViewById<TextView>(R.id.runs_on).apply {
            text = screen.runsOn?.let { describe(it) }
            showIf(screen.runsOn != null)
        }
        showQuality((100 * screen.minQuality).roundToInt())
    }

    private fun showQuality(least: Int) {
        val text = if (least == 0) getString(R.string.every_face) else getString(R.string.least_quality, percent(least / 100f))
        findViewById<TextView>(R.id.quality_text).text = text
        quality.value = least.toFloat()
        quality.contentDescription = text
    }

    private fun describe(runsOn: RunsOn): String = listOfNotNull(
        getString(if (runsOn.accelerator == "gpu") R.string.runs_on_gpu else R.string.runs_on_cpu),
        runsOn.fallback?.let { getString(R.string.details, it) },
    ).joinToString("\n")

    private fun row(entry: ModelEntry, chosen: Boolean): View {
        val row = layoutInflater.inflate(R.layout.model_row, list, false)
        row.findViewById<RadioButton>(R.id.choice).apply {
            text = describe(entry)
            isChecked = chosen
            setOnClickListener { model.choose(entry) }
        }
        row.findViewById<ImageButton>(R.id.remove).apply {
            showIf(entry.imported)
            contentDescription = getString(R.string.remove, entry.file.name)
            setOnClickListener { model.remove(entry.key) }
        }
        return row
    }

    private fun describe(entry: ModelEntry): String {
        val contract = entry.file.contract
        val figures = contract.figures.firstOrNull { it.precision == contract.precision }
        return listOfNotNull(
            entry.file.name,
            getString(if (entry.imported) R.string.imported else R.string.shipped),
            getString(
                R.string.model_facts, contract.precision, decimal(entry.file.bytes / 1e6, 1), contract.labels.size,
            ),
            figures?.let {
                getString(
                    R.string.model_accuracy, percent(it.accuracy, 1), percent(it.balancedAccuracy, 1), it.protocol, it.n,
                )
            } ?: getString(R.string.model_unmeasured),
            contract.accelerators.firstOrNull { it.name == "gpu" && it.verdict == "differs" }
                ?.let { getString(R.string.not_on_a_gpu) },
        ).joinToString("\n")
    }
}
