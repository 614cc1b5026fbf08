plugins {
    alias(libs.plugins.kotlin.jvm)
}

kotlin {
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11
        allWarningsAsErrors = true
    }
}

java {
    sourceCompatibility = JavaVersion.VERSION_11
    targetCompatibility = JavaVersion.VERSION_11
}

dependencies {
    compileOnly(project(":core")) // the app has it from :fer
    implementation(libs.bundles.core)
    testImplementation(project(":core"))
    testImplementation(testFixtures(project(":core")))
    testImplementation(libs.junit)
}
