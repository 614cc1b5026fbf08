package org.fermobile.gallery.ui

import android.view.View
import androidx.activity.enableEdgeToEdge
import androidx.annotation.LayoutRes
import androidx.appcompat.app.AppCompatActivity
import androidx.core.view.ViewCompat
import androidx.core.view.WindowInsetsCompat
import androidx.core.view.updatePadding
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.lifecycleScope
import androidx.lifecycle.repeatOnLifecycle
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import org.fermobile.gallery.R

/** Shows a layout whose root keeps clear of the system's bars. */
fun AppCompatActivity.showScreen(@LayoutRes layout: Int) {
    enableEdgeToEdge()
    setContentView(layout)
    ViewCompat.setOnApplyWindowInsetsListener(findViewById(R.id.root)) { root, insets ->
        val bars = insets.getInsets(
            WindowInsetsCompat.Type.systemBars() or WindowInsetsCompat.Type.displayCutout(),
        )
        root.updatePadding(bars.left, bars.top, bars.right, bars.bottom)
        insets
    }
}

/** Draws every state while the screen is to be seen. */
fun <T> AppCompatActivity.draw(states: Flow<T>, show: (T) -> Unit) {
    lifecycleScope.launch {
        repeatOnLifecycle(Lifecycle.State.STARTED) { states.collect { show(it) } }
    }
}

/** There or gone. */
fun View.showIf(condition: Boolean) {
    visibility = if (condition) View.VISIBLE else View.GONE
}

/** There, or an empty place. */
fun View.visibleIf(condition: Boolean) {
    visibility = if (condition) View.VISIBLE else View.INVISIBLE
}
