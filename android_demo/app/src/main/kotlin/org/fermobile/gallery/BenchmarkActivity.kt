package org.fermobile.gallery

import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.WindowManager
import android.widget.LinearLayout
import android.widget.TextView
import androidx.activity.viewModels
import androidx.appcompat.app.AppCompatActivity
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import com.google.android.material.appbar.MaterialToolbar
import com.google.android.material.progressindicator.LinearProgressIndicator
import org.fermobile.core.Stage
import org.fermobile.gallery.benchmark.BenchmarkExtras
import org.fermobile.gallery.benchmark.BenchmarkScreen
import org.fermobile.gallery.benchmark.BenchmarkViewModel
import org.fermobile.gallery.logic.BenchmarkResult
import org.fermobile.gallery.logic.TABLE_8
import org.fermobile.gallery.logic.TABLE_8_PHONE
import org.fermobile.gallery.ui.addRow
import org.fermobile.gallery.ui.decimal
import org.fermobile.gallery.ui.draw
import org.fermobile.gallery.ui.nameOf
import org.fermobile.gallery.ui.shareText
import org.fermobile.gallery.ui.showScreen
import org.fermobile.gallery.ui.visibleIf

/**
 * The stages' times on this phone beside those of the thesis, and the verdict.
 *
 * Its name is part of the interface: `fer-mobile bench --device adb` starts it, with the extras of
 * [BenchmarkExtras].
 */
class BenchmarkActivity : AppCompatActivity() {
    private val model: BenchmarkViewModel by viewModels {
        viewModelFactory { initializer { BenchmarkViewModel(application) } }
    }

    private val file: TextView by lazy { findViewById(R.id.file) }
    private val progress: LinearProgressIndicator by lazy { findViewById(R.id.progress) }
    private val run: View by lazy { findViewById(R.id.run) }
    private val status: TextView by lazy { findViewById(R.id.status) }
    private val table: LinearLayout by lazy { findViewById(R.id.table) }
    private val toolbar: MaterialToolbar by lazy { findViewById(R.id.toolbar) }
    private val verdict: TextView by lazy { findViewById(R.id.verdict) }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        showScreen(R.layout.activity_benchmark)
        run.setOnClickListener { model.run(Intent()) }
        toolbar.setNavigationOnClickListener { finish() }
        toolbar.setOnMenuItemClickListener {
            model.screen.value.result?.let { result -> shareText("${result.toJson()}", getString(R.string.benchmark)) }
            true
        }
        draw(model.screen, ::show)
        if (savedInstanceState == null) runAsAsked(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        runAsAsked(intent)
    }

    private fun runAsAsked(intent: Intent) {
        if (intent.hasExtra(BenchmarkExtras.OUT)) model.run(intent)
    }

    private fun show(screen: BenchmarkScreen) {
        val running = screen.pass != null
        // A phone that falls asleep would be timed asleep.
        if (running) {
            window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        } else {
            window.clearFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        }
        findViewById<TextView>(R.id.what).text =
            getString(R.string.benchmark_what, screen.photos, screen.model, TABLE_8_PHONE)
        run.isEnabled = !running
        progress.visibleIf(running)
        progress.max = screen.passes
        progress.setProgressCompat(screen.pass ?: 0, false)
        status.text = when (screen.pass) {
            null -> ""
            0 -> getString(R.string.warming_up)
            else -> getString(R.string.running, screen.pass, screen.passes)
        }
        showTable(screen.result)
        verdict.text = when {
            screen.error != null ->
                getString(R.string.benchmark_failed) + "\n" + getString(R.string.details, screen.error)
            screen.result != null -> verdict(screen.result)
            else -> ""
        }
        toolbar.menu.findItem(R.id.share).isVisible = screen.result != null
        file.text = screen.file?.let { getString(R.string.written_to, it) }
    }

    /** A row for every stage; before a run, with the thesis's figures alone. */
    private fun showTable(result: BenchmarkResult?) {
        table.removeAllViews()
        table.addRow(
            listOf(R.string.stage, R.string.mean, R.string.p90, R.string.thesis).map(::getString), bold = true,
        )
        for (stage in Stage.entries) {
            val stats = result?.stages?.get(stage)
            table.addRow(
                listOf(
                    nameOf(stage),
                    stats?.let { decimal(it.mean, 2) } ?: "–",
                    stats?.let { decimal(it.p90, 2) } ?: "–",
                    TABLE_8[stage]?.let { (mean, _) -> decimal(mean, 1) } ?: "–",
                ),
                bold = stage == Stage.TOTAL,
            )
        }
    }

    private fun verdict(result: BenchmarkResult): String {
        val p90 = decimal(result.stages.getValue(Stage.TOTAL).p90, 1)
        val budget = decimal(result.settings.budget * 1000, 0)
        return getString(if (result.passed) R.string.within_budget else R.string.over_budget, p90, budget)
    }
}
